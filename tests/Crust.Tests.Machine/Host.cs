using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>Independent programs of the host, by which Crust's work is judged.</summary>
internal static class Host
{
    public static ToolBox Tools { get; } = new(HostEnvironment.Read().SearchPath, Logger.None);

    /// <summary>Runs a program that must succeed, and gives what it printed.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation) =>
        (await Tools.RunAsync(ToolCommand.Of(program, arguments), cancellation)).Output;
}
