using System.CommandLine;
using Crust.Cli.Commands;
using Crust.Cli.Progress;
using Crust.Sanitizing;
using Crust.Tools;

namespace Crust.Cli;

/// <summary>The map: one line a subcommand. Here alone errors become messages and exit codes.</summary>
internal static class CommandLine
{
    // Guests and tools have a say in those.
    private const int MostDetails = 300;

    public static RootCommand Create() => new("Turns an unattended OS installer into ready-to-ship edge images.")
    {
        BuildCommand.Create(),
        InstallerCommand.Create(),
        FetchCommand.Create(),
        VerifyCommand.Create(),
        InspectCommand.Create(),
        SeedCommand.Create(),
        PublishCommand.Create(),
        PlanCommand.Create(),
        EmbedCommand.Create(),
        DoctorCommand.Create(),
        SchemaCommand.Create(),
        CleanCommand.Create(),
    };

    public static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellation) =>
        RunAsync(Create(), args, output, error, cancellation);

    /// <summary>The same with other commands than Crust's own.</summary>
    internal static async Task<int> RunAsync(RootCommand commands, string[] args, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var messages = new MessageWriter(error);
        try
        {
            var parse = commands.Parse(args);
            if (UsageError.Of(parse, args) is { } wrong)
            {
                throw wrong;
            }

            var configuration = new InvocationConfiguration { Output = ResultWriter.Of(output), Error = messages, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parse.InvokeAsync(configuration, cancellation);
        }
        catch (CrustException e)
        {
            messages.WriteLine(Describe(e));
            return (int)e.Kind;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            messages.WriteLine("crust: cancelled; no process and no half-written image is left");
            return (int)ExitCode.Cancelled;
        }
        catch (Exception e) when (HostFault.IsTooLarge(e))
        {
            messages.WriteLine(Describe(HostFault.TooLarge(e)));
            return (int)ExitCode.InputOutput;
        }
        catch (Exception e)
        {
            messages.WriteLine($"crust: this is a bug in Crust {CrustVersion.Current}; please report it with what follows\n{e}");
            return (int)ExitCode.Bug;
        }
    }

    /// <summary>An error as its user reads it: what, where, and what to do. Each is one line, whoever had a say in it.</summary>
    internal static string Describe(CrustException error)
    {
        var detail = error.Detail.Length == 0 ? "" : string.Concat(CleanText.Lines(error.Detail, error.Kind is FailureKind.BadInput ? int.MaxValue : MostDetails).Select(line => $"\n  | {line}"));
        return $"crust: {Line(error.What)}\n  where: {Line(error.Where)}\n  to do: {Line(error.Remedy)}{(error.Report is { } report ? $"\n  report: {Path.GetRelativePath(Environment.CurrentDirectory, report)}" : "")}{detail}";

        static string Line(string text) => CleanText.Line(text, int.MaxValue);
    }
}
