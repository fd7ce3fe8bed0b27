"""Prints, of the results in trx files: the ten fixtures whose tests took longest, and the tests that failed with the first lines of what they said."""
import collections
import sys
import xml.etree.ElementTree as tree

seconds, tests, failures = collections.Counter(), collections.Counter(), []
for path in sys.argv[1:]:
    try:
        root = tree.parse(path)
    except (OSError, tree.ParseError) as e:
        print(f"{path}: {e}")
        continue
    fixtures = {test.get("id"): test.find("{*}TestMethod").get("className").rpartition(".")[2] for test in root.iterfind(".//{*}UnitTest")}
    for result in root.iterfind(".//{*}UnitTestResult"):
        hours, minutes, rest = (result.get("duration") or "0:0:0").split(":")
        fixture = fixtures.get(result.get("testId"), "?")
        seconds[fixture] += int(hours) * 3600 + int(minutes) * 60 + float(rest)
        tests[fixture] += 1
        if result.get("outcome") == "Failed":
            failures.append((result.get("testName"), (result.findtext(".//{*}Message") or "").strip().splitlines()[:12]))

print("slowest fixtures, in seconds of their tests (without what is set up once for all of them):")
for fixture, sum in seconds.most_common(10):
    print(f"{sum:8.1f}  {fixture} ({tests[fixture]})")
for name, lines in failures:
    print("failed:", name)
    print(*("    " + line for line in lines), sep="\n")
