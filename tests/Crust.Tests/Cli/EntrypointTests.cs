using Crust.Cli;
using Crust.Tests.Spec;

namespace Crust.Tests.Cli;

/// <summary>The builder container's entrypoint takes any word that isn't a command's for the name of a format.</summary>
public sealed class EntrypointTests
{
    [Test]
    public void It_knows_each_command_of_the_program()
    {
        var line = File.ReadLines(RepositoryFile.PathOf("builder/container/entrypoint")).Single(text => text.TrimStart().StartsWith("build | ", StringComparison.Ordinal));

        Assert.That(line.Trim().TrimEnd(')').Split(" | "), Is.EquivalentTo(CommandLine.Create().Subcommands.Select(command => command.Name).Append("-*")));
    }
}
