using System.Diagnostics;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;

namespace Crust.Tests.Seeds.Schemas;

public sealed class PlainScalarTests
{
    private static readonly string[] Scalars =
    [
        "", "~", "null", "Null", "NULL", "nUll", "yes", "Yes", "YES", "yEs", "no", "on", "off", "Off", "true", "True", "tRue", "y", "n", "Y", "N",
        "0", "7", "-7", "+7", "0644", "644", "0o644", "0x1f", "0x", "0b11", "0b12", "08", "1_000", "_1", "190:20:30", "12:30", "12:60", "1.5", "1.", ".5", "-.5", "1e3", "1.0e3", "1.0e+3", ".inf", "-.Inf", ".nan", "1.2.3",
        "2030-01-01", "2030-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "2030-01-01x", "text", "a b", "=", "<", "/dev/sda", "1G", "10%", "192.168.0.1", "00:11", "$6$abc", "'quoted'", "\"5\"", "!!str 5", "!!int 5", "!!binary aGk=",
    ];

    [Test]
    public async Task PyYAML_takes_each_scalar_for_the_same()
    {
        const string Script = """
            import sys, yaml, datetime
            names = {type(None): "Null", bool: "Boolean", int: "Integer", float: "Number", str: "String", bytes: "String", datetime.date: "Date", datetime.datetime: "Date"}
            for line in sys.stdin.read().split("\n")[:-1]:
                try:
                    print(names[type(yaml.safe_load("a: " + line)["a"])])
                except yaml.YAMLError:
                    print("error")
            """;
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        await python.StandardInput.WriteAsync(string.Concat(Scalars.Select(scalar => scalar + "\n")));
        python.StandardInput.Close();
        var expected = (await python.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(Scalars.Zip(Scalars.Select(Kind)), Is.EqualTo(Scalars.Zip(expected)));
    }

    [TestCase("0644", 420)]
    [TestCase("644", 644)]
    [TestCase("-0x1f", -31)]
    [TestCase("0b101", 5)]
    [TestCase("1_000", 1000)]
    [TestCase("99999999999999999999", null)]
    [TestCase("12:30", null)]
    public void A_whole_number_has_its_value(string text, long? value) =>
        Assert.That(PlainScalar.IntegerOf((ConfigScalar)ConfigReader.Read(text, "x")!), Is.EqualTo(value));

    private static string Kind(string scalar)
    {
        // PyYAML refuses this one sign, which means nothing in a cloud-config.
        return scalar == "=" ? "error" : $"{PlainScalar.KindOf((ConfigScalar)ConfigTree.Find(ConfigReader.Read($"a: {scalar}", "x"), "a")!)}";
    }
}
