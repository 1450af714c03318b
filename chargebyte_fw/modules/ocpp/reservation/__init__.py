"""Reservation: ReserveNow and CancelReservation, kept by `Auth` (functional block H; OCPP 1.6 §5.2, §5.13)."""
