using System.Text.RegularExpressions;
using Crust.Tests.Spec;

namespace Crust.Tests.Tools;

/// <summary>Which programs inherit more of Crust's environment than all do: whoever adds one has to say so here, and in docs/security.md.</summary>
public sealed partial class ToolEnvironmentTests
{
    [Test]
    public void Only_these_programs_inherit_logins_proxies_agents_and_the_display()
    {
        var inherited = Directory.EnumerateFiles(RepositoryFile.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Inherits().Matches(File.ReadAllText(file)).Select(match => (Path.GetFileNameWithoutExtension(file), match.Groups[1].Value.Trim())));

        Assert.That(inherited.Distinct(), Is.EquivalentTo(new[]
        {
            ("Skopeo", "ToolEnvironment.Registries"),
            ("Mmdebstrap", "ToolEnvironment.Proxies"),
            ("AptPackages", "ToolEnvironment.Proxies"),
            ("Signer", "ToolEnvironment.Signing"),
            ("MachineLauncher", "description.Display is GuestDisplay.Window ? ToolEnvironment.Display : []"),
        }));
    }

    [GeneratedRegex(@"\bInherits = ([^,;}\n]+)")]
    private static partial Regex Inherits();
}
