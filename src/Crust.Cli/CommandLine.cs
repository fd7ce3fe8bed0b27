using System.CommandLine;
using Crust.Cli.Commands;
using Crust.Cli.Progress;
using Crust.Tools;

namespace Crust.Cli;

/// <summary>The map: one line a subcommand. Here alone errors become messages and exit codes.</summary>
internal static class CommandLine
{
    public static RootCommand Create() => new("Turns an unattended OS installer into ready-to-ship edge images.")
    {
        LogFormatOption.Create(),
        BuildCommand.Create(),
        InstallerCommand.Create(),
        ContentCommand.Create(),
        ProviderCommand.Create(),
        FetchCommand.Create(),
        VerifyCommand.Create(),
        InspectCommand.Create(),
        SeedCommand.Create(),
        PublishCommand.Create(),
        PlanCommand.Create(),
        EmbedCommand.Create(),
        DoctorCommand.Create(),
        RecipeCommand.Create(),
        SysextCommand.Create(),
        NodesCommand.Create(),
        FleetCommand.Create(),
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
            messages.Format = LogFormatOption.Find(parse) ?? LogFormat.Text;
            if ((LogFormatOption.ErrorOf(parse) ?? UsageError.Of(parse, args)) is { } wrong)
            {
                throw wrong;
            }

            var configuration = new InvocationConfiguration
            {
                Output = ResultWriter.Of(output, messages.Drain),
                Error = messages,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parse.InvokeAsync(configuration, cancellation);
        }
        catch (CrustException e)
        {
            messages.Fail(e);
            return (int)e.Kind;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            messages.Cancelled();
            return (int)ExitCode.Cancelled;
        }
        catch (Exception e) when (HostFault.IsTooLarge(e))
        {
            messages.Fail(HostFault.TooLarge(e));
            return (int)ExitCode.InputOutput;
        }
        catch (Exception e)
        {
            messages.Bug(e);
            return (int)ExitCode.Bug;
        }
    }
}
