using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Documents;

public sealed class SubstitutionTests
{
    private static readonly Substitution Substitution = new(new Dictionary<string, string>
    {
        ["SITE"] = "berlin",
        ["EMPTY"] = "",
        ["YAML"] = "a: [b]",
        ["LINES"] = "one\ntwo",
        ["YES"] = "yes",
    }.ToImmutableDictionary());

    [TestCase("a: edge-${SITE}", "a: edge-berlin\n")]
    [TestCase("a: \"${SITE}${SITE}\"", "a: \"berlinberlin\"\n")]
    [TestCase("${SITE}: 1", "berlin: 1\n")]
    [TestCase("a: $SITE $(SITE) ${1} $${SITE} $", "a: \"$SITE $(SITE) ${1} ${SITE} $\"\n")]
    [TestCase("a: |\n  x=${SITE}\n  y=$y\n", "a: |\n  x=berlin\n  y=$y\n")]
    [TestCase("a: [x, '${SITE}']", "a: [x, 'berlin']\n")]
    public void A_name_stands_for_its_variable(string yaml, string expected) => Assert.That(Apply(yaml), Is.EqualTo(expected));

    [TestCase("a: ${YAML}", "a: \"a: [b]\"\n")]
    [TestCase("a: ${LINES}", "a: \"one\\ntwo\"\n")]
    [TestCase("a: ${EMPTY}", "a: \"\"\n")]
    public void A_value_never_changes_the_documents_structure(string yaml, string expected) => Assert.That(Apply(yaml), Is.EqualTo(expected));

    [TestCase("a: ${YES}", "a: yes\n")]
    [TestCase("a: '${YES}'", "a: 'yes'\n")]
    public void Quotes_decide_whether_a_value_is_text(string yaml, string expected) => Assert.That(Apply(yaml), Is.EqualTo(expected));

    [Test]
    public void A_variable_that_is_not_set_is_an_error_at_its_place() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Apply("a: 1\nb: x${NONE}\n"))!,
        FailureKind.BadInput, "There is no environment variable NONE", "test:2:4", "set it (empty if need be), or write $${NONE} where the text itself is meant");

    [Test]
    public void In_a_text_that_is_not_YAML_the_place_is_that_of_the_name()
    {
        var error = Assert.Throws<CrustException>(() => Substitution.Apply("rootpw ${SITE}\nuser ${NONE}\n", "ks.cfg"))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Substitution.Apply("rootpw ${SITE} $${SITE}\n", "ks.cfg"), Is.EqualTo("rootpw berlin ${SITE}\n"));
            Assert.That(error.Where, Is.EqualTo("ks.cfg:2:6"));
        }
    }

    [Test]
    public void A_line_break_would_change_what_a_text_says() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Substitution.Apply("rootpw ${LINES}", "ks.cfg"))!,
        FailureKind.BadInput, "The value of LINES has a line break", "ks.cfg:1:8", "give a value of one line");

    private static string Apply(string yaml) => ConfigWriter.Write(Substitution.Apply(ConfigReader.Read(yaml, "test")!));
}
