"""A session of ISO 15118-20, put together from its subjects."""

from __future__ import annotations

from chargebyte_fw.modules.v2g.secc.iso20.certificates import Certificates
from chargebyte_fw.modules.v2g.secc.iso20.energy import Iso20EnergyService, Selection, Service
from chargebyte_fw.modules.v2g.secc.iso20.metering import Metering
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import is_ac
from chargebyte_fw.modules.v2g.secc.iso20.parking import Parking
from chargebyte_fw.modules.v2g.secc.iso20.services import Services
from chargebyte_fw.modules.v2g.secc.iso20.setup import SetUp
from chargebyte_fw.modules.v2g.secc.iso20.stop import Stop


class Iso20Session(SetUp, Certificates, Services, Metering, Parking, Stop):
    """A session. `energy` is the service that the car has selected, None before."""

    def take_service(self, selection: Selection) -> None:
        """Take up an energy service."""
        self.energy = self._service(selection)

    def _service(self, selection: Selection) -> Iso20EnergyService:
        # The messages of a kind of energy transfer are loaded where a car selects it.
        if selection.service is Service.AC_DER_IEC:
            from chargebyte_fw.modules.v2g.secc.iso20.der_iec import DerIecService

            return DerIecService(self, selection)
        if is_ac(selection.service):
            from chargebyte_fw.modules.v2g.secc.iso20.ac import AcService

            return AcService(self, selection)
        from chargebyte_fw.modules.v2g.secc.iso20.dc import DcService

        return DcService(self, selection)
