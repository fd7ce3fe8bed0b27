using System.Runtime.InteropServices;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Appliance;

/// <summary>
/// Programs of another architecture than the host's. Packages that are installed run some of their own, so Linux has to be told to give these to QEMU's user emulation (Documentation/admin-guide/binfmt-misc.rst).
/// </summary>
internal static class ForeignPrograms
{
    private const string Packages = "qemu-user-static binfmt-support arch-test";

    /// <summary>Whether this host runs programs of the architecture, as far as arch-test can tell.</summary>
    public static async Task<bool> RunHereAsync(ToolBox tools, Arch arch, CancellationToken cancellation) => arch == HostArch.Current
        || (tools.Find("arch-test") is not null && (await tools.RunAsync(ToolCommand.Of("arch-test", arch.LowerName()) with { SuccessCodes = [0, 1] }, cancellation)).ExitCode == 0);

    /// <summary>Checks that this host runs programs of the architecture.</summary>
    /// <exception cref="CrustException">It doesn't.</exception>
    public static async Task CheckAsync(ToolBox tools, Arch arch, CancellationToken cancellation)
    {
        if (await RunHereAsync(tools, arch, cancellation))
        {
            return;
        }

        var emulator = arch is Arch.Amd64 ? "qemu-x86_64" : "qemu-aarch64";
        throw tools.Find("arch-test") is null || tools.Find($"{emulator}-static") is null
            ? Lacks("it takes QEMU's user emulation and arch-test, and they aren't all installed", $"install them: apt-get install {Packages}")
            : Lacks("QEMU's user emulation is installed, but the kernel doesn't use it", $"tell the kernel, as root: update-binfmts --enable {emulator}; in a container, on its host");

        CrustException Lacks(string why, string remedy) => new(FailureKind.HostLacks, $"This host runs no programs for {arch.LowerName()}: {why}",
            $"machine.arch: {arch.LowerName()}, on {RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}", remedy);
    }
}
