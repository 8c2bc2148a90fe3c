"""Who may submit now: `roster` has the profiles and their slots, `rotation` their turns, `gates` their cooldowns."""
