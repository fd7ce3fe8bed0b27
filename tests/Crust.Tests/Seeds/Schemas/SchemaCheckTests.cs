using System.Text.Json;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;

namespace Crust.Tests.Seeds.Schemas;

public sealed class SchemaCheckTests
{
    [TestCase("""{"type":"string"}""", "a: 5", "1:4 'a' is a number, and has to be text | put it in quotes")]
    [TestCase("""{"type":"string"}""", "a: no", "1:4 'a' is read as false, and has to be text | put it in quotes")]
    [TestCase("""{"type":"string"}""", "a: 2030-01-01", "1:4 'a' is read as a date, and has to be text | put it in quotes")]
    [TestCase("""{"type":"string"}""", "a: {echo b: c}", "1:4 'a' is a mapping, and has to be text | put the whole text in quotes: a colon and a space in it make it a mapping")]
    [TestCase("""{"type":"boolean"}""", "a: 'true'", "1:4 'a' is text in quotes, and has to be true or false | take the quotes away")]
    [TestCase("""{"type":"integer"}""", "a: 64M", "1:4 'a' is text, and has to be a whole number | write a number")]
    [TestCase("""{"type":"array"}""", "a: b", "1:4 'a' is text, and has to be a list | write it as a list: each entry on a line of its own, with a dash before it")]
    [TestCase("""{"type":["string","array"]}""", "a:", "1:3 'a' is empty, and has to be text or a list | give it a value, or leave out the key")]
    [TestCase("""{"enum":["dhcp","static"]}""", "a: dchp", "1:4 'a' has a value that it can't have | did you mean dhcp?")]
    [TestCase("""{"enum":["dhcp","static"]}""", "a: nothing-like-it", "1:4 'a' has a value that it can't have | write dhcp or static")]
    [TestCase("""{"const":1}""", "a: 2", "1:4 'a' has a value that it can't have | write 1")]
    [TestCase("""{"type":"string","pattern":"^x$","x-means":"an x"}""", "a: y", "1:4 'a' has a form that it can't have | write an x")]
    [TestCase("""{"type":"string","maxLength":2}""", "a: abc", "1:4 'a' is too long: 3 characters | write 2 at most")]
    [TestCase("""{"type":"string","minLength":2}""", "a: b", "1:4 'a' is too short: 1 characters | write 2 at least")]
    [TestCase("""{"type":"string","format":"date"}""", "a: '2030-02-31'", "1:4 'a' isn't a date | write it in quotes as YYYY-MM-DD")]
    [TestCase("""{"type":"integer","maximum":511}""", "a: 01000", "1:4 'a' is too large | write 511 at most")]
    [TestCase("""{"type":"integer","minimum":1}""", "a: 0", "1:4 'a' is too small | write 1 at least")]
    [TestCase("""{"type":"array","minItems":1}""", "a: []", "1:4 'a' has too few entries: 0 | fill it, or leave it out")]
    [TestCase("""{"type":"array","maxItems":1}""", "a: [b, c]", "1:4 'a' has too many entries: 2 | give 1 at most")]
    [TestCase("""{"type":"array","uniqueItems":true}""", "a: [b, b]", "1:8 'a' has an entry twice | leave out one of the two")]
    [TestCase("""{"type":"object","minProperties":1}""", "a: {}", "1:4 'a' has nothing in it | fill it, or leave it out")]
    [TestCase("""{"type":"object","required":["name"]}""", "a: {b: c}", "1:4 'a' has no 'name' | add the key 'name'")]
    [TestCase("""{"additionalProperties":false,"properties":{"device":{}}}""", "a: {devcie: b}", "1:5 There is no key 'a.devcie' | did you mean 'device'?")]
    [TestCase("""{"additionalProperties":false,"patternProperties":{"^x-":{}},"properties":{"b":{}}}""", "a: {x-y: 1, other: 2}", "1:13 There is no key 'a.other' | leave it out, or write b")]
    [TestCase("""{"additionalProperties":{"type":"string"}}""", "a: {b: c, d: 5}", "1:14 'a.d' is a number, and has to be text | put it in quotes")]
    [TestCase("""{"items":{"type":"string"}}""", "a: [b, 5]", "1:8 'a[1]' is a number, and has to be text | put it in quotes")]
    [TestCase("""{"allOf":[{"required":["b"]},{"required":["c"]}]}""", "a: {b: 1}", "1:4 'a' has no 'c' | add the key 'c'")]
    [TestCase("""{"$ref":"#/$defs/text"}""", "a: 5", "1:4 'a' is a number, and has to be text | put it in quotes")]
    public void A_violation_is_told_in_words_with_its_place_and_a_way_out(string schema, string yaml, string expected) =>
        Assert.That(Told(schema, yaml), Is.EqualTo(new[] { expected }));

    [TestCase("""{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}""", "a: {b: c, d: e}", "1:4 'a' is a mapping, and has to be text or a list | write it as a list: a dash before each entry")]
    [TestCase("""{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"string"}}]}""", "a: [b, 5]", "1:8 'a[1]' is a number, and has to be text | put it in quotes")]
    [TestCase("""{"oneOf":[{"enum":["auto","off"]},{"enum":[false]}]}""", "a: atuo", "1:4 'a' has a value that it can't have | did you mean auto?")]
    [TestCase("""{"oneOf":[{"required":["name"]},{"required":["mail"]}]}""", "a: {}", "1:4 'a' has no 'name' | add the key 'name'")]
    [TestCase("""{"oneOf":[{"required":["name"]},{"required":["mail"]}]}""", "a: {name: b, mail: c}", "1:4 'a' has both 'name' and 'mail' | keep one of them")]
    [TestCase("""{"anyOf":[{"additionalProperties":false,"required":["t"],"properties":{"t":{"enum":["one"]},"x":{}}},{"additionalProperties":false,"required":["t"],"properties":{"t":{"enum":["two"]},"y":{"type":"string"}}}]}""",
        "a: {t: two, y: 5}", "1:16 'a.y' is a number, and has to be text | put it in quotes")]
    public void Of_several_branches_the_one_that_was_meant_is_told(string schema, string yaml, string expected) =>
        Assert.That(Told(schema, yaml), Is.EqualTo(new[] { expected }));

    [TestCase("""{"type":"integer"}""", "a: 0644")]
    [TestCase("""{"type":"number"}""", "a: 1.5")]
    [TestCase("""{"type":"boolean"}""", "a: off")]
    [TestCase("""{"type":"null"}""", "a: ~")]
    [TestCase("""{"enum":[true,"auto"]}""", "a: yes")]
    [TestCase("""{"oneOf":[{"type":"string"},{"type":"integer"}]}""", "a: 5")]
    [TestCase("""{"x-unknown":"warn","allOf":[{"properties":{"b":{}}}],"properties":{"c":{}}}""", "a: {b: 1, c: 2}")]
    public void What_fits_is_silent(string schema, string yaml) => Assert.That(Told(schema, yaml), Is.Empty);

    [Test]
    public void Go_takes_any_scalar_for_text_and_nothing_for_everything()
    {
        const string Schema = """{"x-yaml":"go","properties":{"a":{"properties":{"text":{"type":"string"},"list":{"type":"array"},"flag":{"type":"boolean"},"mode":{"type":"integer"}}}}}""";

        Assert.That(Run(Schema, "a: {text: 5, list: , flag: \"yes\", mode: 0o644}"), Is.Empty);
        Assert.That(Run(Schema, "a: {mode: \"0644\", flag: \"true\"}").Select(violation => violation.Path), Is.EqualTo(new[] { "a.mode", "a.flag" }));
    }

    [Test]
    public void An_unknown_key_of_an_open_mapping_is_a_warning_unless_it_is_near_to_a_known_one()
    {
        const string Schema = """{"properties":{"a":{"x-unknown":"warn","properties":{"commands":{}}}}}""";

        Assert.That(Run(Schema, "a: {frobnicate: 1}").Single().IsWarning);
        Assert.That(Run(Schema, "a: {comands: 1}").Single().IsWarning, Is.False);
    }

    [Test]
    public void What_is_deprecated_is_a_warning_at_its_key_in_the_words_of_the_schema()
    {
        var violation = Run("""{"properties":{"a":{"properties":{"b-c":{"deprecated":true,"deprecated_description":"Use **b_c** instead."}}}}}""", "a: {b-c: 1}").Single();

        Assert.That((violation.IsWarning, $"{violation.Place}", violation.What, violation.Remedy), Is.EqualTo((true, "x.yaml:1:5", "'a.b-c' is deprecated", "use 'b_c' instead")));
    }

    private static string[] Told(string schema, string yaml) =>
        [.. Run("""{"$defs":{"text":{"type":"string"}},"properties":{"a":""" + schema + "}}", yaml).Select(violation => $"{violation.Place.Line}:{violation.Place.Column} {violation.What} | {violation.Remedy}")];

    private static Violation[] Run(string schema, string yaml) =>
        [.. SchemaCheck.Run(Schema.Of(JsonDocument.Parse(schema).RootElement), ConfigReader.Read(yaml, "x.yaml")!)];
}
