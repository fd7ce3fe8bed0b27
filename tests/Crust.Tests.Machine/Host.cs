using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>Independent programs of the host, by which Crust's work is judged.</summary>
internal static class Host
{
    public static ToolBox Tools { get; } = new(HostEnvironment.Read().SearchPath, Logger.None);

    /// <summary>Skips a test where mounts can't be kept to a namespace of their own: in a chroot, whose root is no mount point.</summary>
    public static void RequireMountNamespaces()
    {
        using var trial = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("unshare", ["-m", "true"]) { RedirectStandardError = true })!;
        trial.WaitForExit();
        if (trial.ExitCode != 0)
        {
            Assert.Ignore("this host's root is no mount point (a chroot), so mounts can't be kept to a namespace of their own");
        }
    }

    /// <summary>Runs a program that must succeed, and gives what it printed.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation) =>
        (await Tools.RunAsync(ToolCommand.Of(program, arguments), cancellation)).Output;

    /// <summary>The same in a folder.</summary>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, string folder, CancellationToken cancellation) =>
        (await Tools.RunAsync(ToolCommand.Of(program, arguments) with { WorkingDirectory = folder }, cancellation)).Output;
}
