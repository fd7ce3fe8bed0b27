using System.CommandLine;
using Crust.Cli;

namespace Crust.Tests.Cli;

/// <summary>A run of the command line inside the test's own process.</summary>
/// <param name="Code">The exit code.</param>
/// <param name="Output">What it wrote to standard output.</param>
/// <param name="Error">What it wrote to standard error.</param>
internal sealed record CommandLineRun(int Code, string Output, string Error)
{
    public static Task<CommandLineRun> OfAsync(params string[] args) => OfAsync(CommandLine.Create(), args, CancellationToken.None);

    /// <summary>A run in which the command `act` does as it is told.</summary>
    public static Task<CommandLineRun> OfActionAsync(Func<CancellationToken, Task> action, CancellationToken cancellation)
    {
        var command = new Command("act");
        command.SetAction((_, token) => action(token));
        return OfAsync([command], ["act"], cancellation);
    }

    private static async Task<CommandLineRun> OfAsync(RootCommand commands, string[] args, CancellationToken cancellation)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(commands, args, output, error, cancellation);
        return new(code, output.ToString(), error.ToString());
    }
}
