using System.CommandLine;
using Crust.Cli;
using Crust.Tests.Spec;

namespace Crust.Tests.Cli;

public sealed class HelpTests
{
    private static IEnumerable<string> Commands => Below(CommandLine.Create(), "");

    [Test]
    public Task The_help_of_Crust() => CheckAsync("crust", "--help");

    [TestCaseSource(nameof(Commands))]
    public Task The_help_of_a_command(string command) => CheckAsync(command.Replace(' ', '-'), [.. command.Split(' '), "--help"]);

    [Test]
    public void Every_help_in_the_repository_is_of_a_command() =>
        Assert.That(Directory.EnumerateFiles(RepositoryFile.PathOf("tests/Crust.Tests/Golden/help")).Select(Path.GetFileNameWithoutExtension),
            Is.EquivalentTo(Commands.Select(command => command.Replace(' ', '-')).Append("crust")));

    // A command of a command has the names of both.
    private static IEnumerable<string> Below(Command command, string names) => command.Subcommands.SelectMany(below => Below(below, $"{names}{below.Name} ").Prepend(names + below.Name));

    private static async Task CheckAsync(string name, params string[] args)
    {
        var run = await CommandLineRun.OfAsync(args);

        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        // Here the program is whatever runs the tests.
        RepositoryFile.MustEqual($"tests/Crust.Tests/Golden/help/{name}.txt", run.Output.Replace(RootCommand.ExecutableName, "crust").TrimEnd() + "\n");
    }
}
