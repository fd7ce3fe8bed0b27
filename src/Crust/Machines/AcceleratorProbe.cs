using System.Diagnostics;
using System.Runtime.InteropServices;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog;

namespace Crust.Machines;

/// <summary>What runs the guest's instructions, and why.</summary>
/// <param name="Used"><see cref="Accelerator.Kvm"/> or <see cref="Accelerator.Tcg"/>.</param>
/// <param name="Reason">Why, in a few words.</param>
/// <param name="Warning">What the user should know where the choice makes builds slow; null if there is nothing to be done.</param>
internal sealed record AcceleratorChoice(Accelerator Used, string Reason, string? Warning)
{
    /// <summary>What mends it, as an imperative; null without a warning.</summary>
    public string? Remedy { get; init; }

    /// <summary>The warning with its remedy; null without one.</summary>
    public string? FullWarning => Warning is null ? null : $"{Warning}. To mend it: {Remedy}";
}

/// <summary>
/// Finds out whether KVM works. A /dev/kvm that opens proves nothing: on some nested hosts a guest hangs in its first
/// instructions. So a small guest is run to its end (<see cref="LongModeStub"/>), once for each boot of the host.
/// </summary>
/// <param name="tools">Finds and starts QEMU.</param>
/// <param name="cacheFolder">Where the result is remembered, and the stub's disk lies.</param>
internal sealed class AcceleratorProbe(ToolBox tools, string cacheFolder, ILogger log)
{
    private const string Slow = "emulating in its place, which is about ten times slower";

    internal string Device { get; init; } = "/dev/kvm";

    /// <summary>How long the stub, which takes 0.15 s even without KVM, may take.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The host's own architecture, null if it is none that Crust knows.</summary>
    internal Arch? Host { get; init; } = HostArch.Current;

    /// <exception cref="CrustException">KVM is demanded and can't be used (<see cref="FailureKind.HostLacks"/>).</exception>
    /// <exception cref="ToolMissingException">QEMU isn't installed.</exception>
    public async Task<AcceleratorChoice> ChooseAsync(Accelerator wanted, Arch guest, CancellationToken cancellation)
    {
        if (wanted is Accelerator.Tcg)
        {
            return new AcceleratorChoice(Accelerator.Tcg, "TCG was asked for", null);
        }

        if (await FindObstacleAsync(guest, cancellation) is not { } obstacle)
        {
            return new AcceleratorChoice(Accelerator.Kvm, "KVM ran a 64-bit guest to its end", null);
        }

        log.Information("KVM isn't used: {Obstacle}", obstacle.What);
        if (wanted is Accelerator.Kvm)
        {
            throw new CrustException(FailureKind.HostLacks, $"KVM can't be used: {obstacle.What}", $"machine.accelerator: kvm, {Device}",
                obstacle.Remedy is null
                    ? "set machine.accelerator to auto or tcg"
                    : $"{obstacle.Remedy}; or set machine.accelerator to auto or tcg");
        }

        var warning = obstacle.Remedy is null ? null : $"KVM can't be used: {obstacle.What}; {Slow}";
        return new AcceleratorChoice(Accelerator.Tcg, obstacle.What, warning) { Remedy = obstacle.Remedy };
    }

    private async Task<Obstacle?> FindObstacleAsync(Arch guest, CancellationToken cancellation)
    {
        if (guest != Host)
        {
            return new Obstacle($"the guest is {Name(guest)} and this host is {(Host is { } host ? Name(host) : RuntimeInformation.OSArchitecture.ToString())}", null);
        }

        if (guest is not Arch.Amd64)
        {
            return new Obstacle($"Crust can't prove yet that KVM works for {Name(guest)} guests", null);
        }

        if (!Path.Exists(Device))
        {
            return new Obstacle($"there is no {Device}",
                "enable virtualisation in the firmware or for this virtual machine (nested), or give the device to the container (--device /dev/kvm)");
        }

        return FindWhyItDoesNotOpen() ?? await FindWhyNoGuestRunsAsync(cancellation);
    }

    private Obstacle? FindWhyItDoesNotOpen()
    {
        try
        {
            using var handle = File.OpenHandle(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return new Obstacle($"{Device} may not be opened by this user", "add the user to the group kvm (sudo usermod -aG kvm $USER) and log in again");
        }
        catch (IOException e)
        {
            return new Obstacle($"{Device} doesn't open ({e.Message})", "load the kernel's module kvm_intel or kvm_amd (modprobe), and see what dmesg says of kvm");
        }
    }

    private async Task<Obstacle?> FindWhyNoGuestRunsAsync(CancellationToken cancellation)
    {
        var memory = new ProbeMemory(cacheFolder, tools.Require("qemu-system-x86_64"), log);
        var what = memory.Recall();
        if (what is null)
        {
            what = await RunStubAsync("kvm", "host", cancellation);
            memory.Keep(what);
        }

        return what.Length == 0
            ? null
            : new Obstacle(what, $"on a nested host, ask its provider for working nested virtualisation; it is tried again after a reboot, or when {memory.File} is removed");
    }

    /// <summary>Runs the stub; gives what went wrong, or an empty text.</summary>
    internal async Task<string> RunStubAsync(string accelerator, string cpu, CancellationToken cancellation)
    {
        using var folder = new ScratchFolder(cacheFolder);
        try
        {
            var disk = Path.Combine(folder.Path, "stub.img");
            LongModeStub.WriteDisk(disk);
            var clock = Stopwatch.StartNew();
            await using var qemu = tools.Start(ToolCommand.Of("qemu-system-x86_64", LongModeStub.QemuArguments(disk, accelerator, cpu)));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            var result = await qemu.WaitAsync(patience.Token);
            log.Debug("The probe's stub ended after {Seconds:0.00} s under {Accelerator} with {ExitCode}: {Error}",
                clock.Elapsed.TotalSeconds, accelerator, result.ExitCode, result.Error);
            return result.ExitCode switch
            {
                LongModeStub.FineExitCode => "",
                LongModeStub.MiscomputedExitCode => "a guest computed wrongly",
                _ => $"QEMU ended with exit code {result.ExitCode} ({LastLine(result.Error)})",
            };
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"it opens, but a guest that takes a fraction of a second wasn't done after {Patience.TotalSeconds:0.#} s";
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", folder.Path, "make room there, or set CRUST_CACHE to another file system", e);
        }
    }

    private static string Name(Arch arch) => arch is Arch.Amd64 ? "amd64" : "arm64";

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? "it said nothing";

    // A remedy of null: nothing is wrong with the host.
    private sealed record Obstacle(string What, string? Remedy);
}
