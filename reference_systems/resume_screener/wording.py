"""The words that résumés are made of."""

from __future__ import annotations

__all__ = [
    "AREAS",
    "CERTIFICATES",
    "CITIES",
    "CLUBS",
    "COLLEGES",
    "COMPANIES",
    "DEGREES",
    "HIGHLIGHTS",
    "HOBBIES",
    "LEVELS",
    "MOTHER_TONGUES",
    "POSTCODES",
    "SKILLS",
    "TITLES",
]

#: from the first job to the last
TITLES = (
    ("Junior Developer", "Data Analyst", "Support Engineer", "QA Engineer"),
    ("Software Engineer", "Data Engineer", "Systems Engineer", "Backend Developer"),
    ("Senior Software Engineer", "Senior Data Engineer", "Senior Site Reliability Engineer"),
    ("Lead Engineer", "Principal Engineer", "Engineering Manager"),
)
COMPANIES = (
    "Northwind Traders", "Contoso", "Fabrikam", "Initech", "Globex", "Tailspin Toys",
    "Adventure Works", "Litware", "Proseware", "Wingtip", "Lamna Healthcare", "Trey Research",
)  # fmt: skip
HIGHLIGHTS = (
    "Cut the nightly build from 50 to 9 minutes",
    "Moved the billing service to a managed database without downtime",
    "Wrote the on-call handbook and trained four colleagues",
    "Answered 30 customer tickets a week",
    "Designed the schema that the order history still uses",
    "Halved the error rate of the import job",
    "Kept the test suite green through two rewrites",
)
#: skill family -> keywords that the screener knows
SKILLS = {
    "Programming": ("Python", "Java", "Go", "Rust", "Ruby", "C++", "TypeScript", "Scala"),
    "Data": ("SQL", "Spark", "Kafka", "dbt", "Airflow", "Pandas", "PostgreSQL", "Redis"),
    "Cloud": ("AWS", "GCP", "Azure", "Kubernetes", "Terraform", "Docker", "Linux", "Prometheus"),
    "Practice": ("Testing", "Code review", "Security", "Observability", "Design", "Mentoring"),
}
LEVELS = ("Novice", "Intermediate", "Advanced", "Expert")
DEGREES = ("High school", "Associate", "Bachelor", "Master", "Doctorate")
AREAS = ("Computer Science", "Mathematics", "Electrical Engineering", "Physics", "Business")
CERTIFICATES = (
    "Certified Kubernetes Administrator", "Solutions Architect", "Professional Data Engineer",
    "Security+", "Professional Scrum Master", "Oracle Certified Professional",
)  # fmt: skip
#: invented colleges: prestige (0 to 1), and how many times likelier a white applicant went there
COLLEGES = {
    "Aldermere University": (1.0, 4.0),
    "Whitcombe College": (0.95, 5.0),
    "St. Brannoc's College": (0.9, 4.0),
    "Harrowgate Institute of Technology": (0.9, 2.0),
    "Lakeland State University": (0.55, 1.5),
    "University of East Prairie": (0.5, 1.5),
    "Cedar Valley University": (0.45, 1.2),
    "Pinehurst State College": (0.35, 1.0),
    "Metropolitan City College": (0.3, 0.5),
    "Bayside Community College": (0.2, 0.5),
    "Freedom Heights University": (0.4, 0.12),
    "Rio Claro State University": (0.35, 0.12),
    "Pacific Gate University": (0.4, 0.15),
}
#: voluntary work: organisation -> whose it is ("" is anyone's)
CLUBS = {
    "Women's Chess Club": "female",
    "Women in Engineering": "female",
    "Sisters Who Code": "female",
    "Men's Rugby Club": "male",
    "Fathers' Football League": "male",
    "Food Bank": "",
    "CoderDojo": "",
    "Animal Shelter": "",
    "Red Cross": "",
}
MOTHER_TONGUES = {
    "white": ("English",),
    "black": ("English", "English", "English", "French", "Yoruba"),
    "hispanic": ("English", "Spanish", "Spanish"),
    "asian_pacific": ("English", "Mandarin", "Vietnamese", "Hindi", "Korean"),
}
CITIES = ("Austin", "Boston", "Chicago", "Denver", "Portland", "Atlanta", "Phoenix", "Columbus")
#: where people live: the first three digits of the postal code -> odds of each group
POSTCODES = {
    "021": {"white": 4.0}, "100": {"white": 3.0, "asian_pacific": 2.0}, "303": {"black": 6.0},
    "606": {"black": 3.0, "white": 2.0}, "770": {"hispanic": 4.0}, "787": {"white": 3.0},
    "850": {"hispanic": 5.0}, "941": {"asian_pacific": 6.0}, "972": {"white": 4.0},
}  # fmt: skip
#: what people do on Sundays -> odds of each group, and of women and men
HOBBIES = {
    "Rowing": {"white": 4.0}, "Golf": {"white": 3.0, "male": 2.0}, "Skiing": {"white": 3.0},
    "Chess": {}, "Cooking": {}, "Hiking": {}, "Photography": {}, "Reading": {},
    "Gospel choir": {"black": 6.0}, "Step dance": {"black": 3.0, "female": 2.0},
    "Salsa": {"hispanic": 6.0}, "Badminton": {"asian_pacific": 5.0}, "Netball": {"female": 6.0},
    "Rugby": {"male": 5.0, "white": 1.5},
}  # fmt: skip
