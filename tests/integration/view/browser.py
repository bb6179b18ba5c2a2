"""Headless Chromium over the viewer; ends as skipped where it, its driver or Selenium is absent."""
import os
import shutil
import subprocess
import sys

DEBIAN = "/usr/bin/python3"  # Debian's packages are seen by its own Python, which need not be the first on PATH


def need():
    try:
        import selenium  # noqa: F401
    except ImportError:
        others = os.path.exists(DEBIAN) and os.environ.get("NEPHRON_DEBIAN_TRIED") is None
        if others and subprocess.run([DEBIAN, "-c", "import selenium"], capture_output=True, check=False).returncode == 0:
            os.execve(DEBIAN, [DEBIAN, *sys.argv], {**os.environ, "NEPHRON_DEBIAN_TRIED": "1"})
        print("skipped: no Selenium; Debian's package is python3-selenium")
        sys.exit(77)
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            print(f"skipped: no {program}; Debian's packages are chromium and chromium-driver")
            sys.exit(77)


def start(width=1400, height=900, dark=False):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--window-size={width},{height}", "--disable-background-networking", "--no-first-run"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    driver.set_script_timeout(60)
    return driver
