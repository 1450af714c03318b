"""Configuration files of the device model: EVerest's component files, and the configuration of OCPP 1.6.

`json_file` reads one with places for findings, `component_files` a folder of components, `legacy_file` the keys of 1.6
with the overlay of changed ones, `mappings` custom keys, `shipped` writes the shipped files from the declarations, and
`loading` puts the model of a module together.
"""
