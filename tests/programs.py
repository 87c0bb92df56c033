"""Programs of other people that the tests check our files with: Java for the engine of veraPDF, qpdf, poppler, openssl, SoftHSM.

`python -m tests.programs` ends with a sentence that says what to type when one is missing; `--packages` prints Debian's names of what is.
"""

import shutil
import sys
from pathlib import Path

JAVA_LIBRARIES = Path("/usr/share/java")
#: JAXB, which Java itself lost in version 11 and veraPDF's engine reads its profiles with.
JAXB = ("jaxb-api.jar", "jaxb-runtime.jar", "istack-commons-runtime.jar", "javax.activation.jar")

#: Debian's package for each program.
PROGRAMS = {
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "qpdf": "qpdf",
    "pdffonts": "poppler-utils",
    "pdfsig": "poppler-utils",
    "openssl": "openssl",
    "softhsm2-util": "softhsm2",
    "pkcs11-tool": "opensc",
}


def missing() -> list[str]:
    """The packages of what is not there."""
    found = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not all((JAVA_LIBRARIES / jar).exists() for jar in JAXB):
        found |= {"libjaxb-java", "libjaxb-api-java"}
    return sorted(found)


def sentence() -> str:
    """What to type; empty when nothing is missing."""
    packages = " ".join(missing())
    return f"The tests need programs that are missing. Type as root: apt-get install {packages}" if packages else ""


if __name__ == "__main__":
    if "--packages" in sys.argv:
        sys.stdout.write(" ".join(missing()))
    elif told := sentence():
        sys.exit(told)
