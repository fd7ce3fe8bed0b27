using System.Text;
using System.Text.RegularExpressions;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Tests.Spec;

namespace Crust.Tests.Seeds.Checks;

public sealed partial class RuleDocsTests
{
    [Test]
    public void The_page_names_every_rule_with_its_severity_an_example_and_a_way_out()
    {
        var table = new StringBuilder("| rule | severity | objects to | example | way out |\n|---|---|---|---|---|\n");
        foreach (var rule in RuleBook.All)
        {
            var severity = rule.WarnsOnly is { } where ? $"error; warning {where}" : rule.Severity.LowerName();
            table.Append(null, $"| `{rule.Name}` | {severity} | {Cell(rule.About)} | `{Cell(rule.Example)}` | {Cell(rule.WayOut)} |\n");
        }

        RepositoryFile.MustHold("docs/checks.md", "rules", table.ToString());
    }

    [Test]
    public void Every_rule_has_a_name_of_its_own_in_lower_case_with_dashes()
    {
        Assert.That(RuleBook.All.Select(rule => rule.Name), Is.Unique);
        Assert.That(RuleBook.All.Where(rule => !Name().IsMatch(rule.Name)), Is.Empty);
    }

    private static string Cell(string text) => text.Replace("|", "\\|");

    [GeneratedRegex(@"\A[a-z0-9]+(-[a-z0-9]+)*\z")]
    private static partial Regex Name();
}
