"""The teacher's view of a class: a lane for each account of an emulator, drawn as its requests come.

What is drawn are the events that the emulator has seen (`Emulator.events`), or those in the file that
`vidgen-nb emulator --class` writes; records and chart are those of any run. It only looks: nothing here changes what
the class does. It is written on the kernel's own loop, twice a second, as long as the emulator serves.
"""
