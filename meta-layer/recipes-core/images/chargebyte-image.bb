SUMMARY = "The firmware of a Charge SOM class board"
DESCRIPTION = "A charger that charges when it is switched on: system, charging stack, broker, update by signed bundle."

require chargebyte-image.inc
