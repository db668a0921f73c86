"""Names for the sample association's people; none is anybody's."""

GIVEN = (
    "Aina", "Albert", "Anna", "Arnau", "Berta", "Bernat", "Bruna", "Carles", "Clara", "Daniel", "Elena", "Ferran",
    "Gemma", "Gerard", "Helena", "Irene", "Jan", "Joana", "Jordi", "Júlia", "Laia", "Lucía", "Maria", "Marc", "Martí",
    "Mireia", "Natalia", "Núria", "Oriol", "Pau", "Pol", "Roger", "Sara", "Sergi", "Tomàs", "Xavier", "Анна", "Игорь",
    "Inès", "Łukasz",
)  # fmt: skip
FAMILY = (
    "Bosch", "Camps", "Casals", "Coll", "Costa", "Duran", "Esteve", "Ferrer", "Font", "García", "Gil", "López", "Mas",
    "Martí", "Pérez", "Pons", "Prats", "Puig", "Riera", "Rius", "Roca", "Sala", "Serra", "Soler", "Torres", "Vidal",
    "Vila", "Fernández-Villaverde", "O’Connor", "Ortiz",
)  # fmt: skip
FACULTIES = (
    ("Biology", "Sciences"), ("Chemistry", "Sciences"), ("Physics", "Sciences"), ("Law", "Law"), ("History", "Letters"),
    ("Philology", "Letters"), ("Medicine", "Medicine"), ("Nursing", "Medicine"), ("Architecture", "Architecture"),
    ("Computer Science", "Engineering"),
)  # fmt: skip
