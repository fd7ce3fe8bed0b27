using System.CommandLine;
using Crust.Cli.Commands;

namespace Crust.Cli;

/// <summary>The map: one line a subcommand. Here alone errors become messages and exit codes.</summary>
internal static class CommandLine
{
    public static RootCommand Create() => new("Turns an unattended OS installer into ready-to-ship edge images.")
    {
        BuildCommand.Create(),
        InstallerCommand.Create(),
        VerifyCommand.Create(),
        SchemaCommand.Create(),
        CleanCommand.Create(),
    };

    public static async Task<int> RunAsync(string[] args, CancellationToken cancellation)
    {
        var parse = Create().Parse(args);
        if (parse.Errors.Count > 0)
        {
            foreach (var error in parse.Errors)
            {
                await Console.Error.WriteLineAsync($"crust: {error.Message}");
            }

            await Console.Error.WriteLineAsync($"  where: crust {string.Join(' ', args)}\n  to do: see 'crust {HelpPath(parse)}--help'");
            return (int)ExitCode.BadInput;
        }

        try
        {
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parse.InvokeAsync(configuration, cancellation);
        }
        catch (CrustException e)
        {
            await Console.Error.WriteLineAsync(Describe(e));
            return (int)e.Kind;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("crust: cancelled; no process and no half-written image is left");
            return (int)ExitCode.Cancelled;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"crust: this is a bug in Crust {CrustVersion.Current}; please report it with what follows\n{e}");
            return (int)ExitCode.Bug;
        }
    }

    private static string Describe(CrustException error)
    {
        var detail = error.Detail.Length == 0 ? "" : string.Concat(error.Detail.Split('\n').Select(line => $"\n  | {line}"));
        return $"crust: {error.What}\n  where: {error.Where}\n  to do: {error.Remedy}{detail}";
    }

    private static string HelpPath(ParseResult parse) => parse.CommandResult.Command is RootCommand ? "" : parse.CommandResult.Command.Name + " ";
}
