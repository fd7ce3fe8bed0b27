using System.Collections.Immutable;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Appliance;

/// <param name="Name">Its name: a script of `builder/appliance/jobs`.</param>
/// <param name="Accelerator">What runs the guest, as the probe chose it.</param>
/// <param name="SerialLog">Gets the serial port's output.</param>
internal sealed record ApplianceJob(string Name, Drive.Disk Disk, Accelerator Accelerator, string SerialLog)
{
    /// <summary>The disk's architecture; the appliance has the same.</summary>
    public Arch Arch { get; init; } = Arch.Amd64;

    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Receives how far the job is, from 0 to 1, and what it does.</summary>
    public Action<double, string> OnProgress { get; init; } = (_, _) => { };

    public Action<string> OnWarning { get; init; } = _ => { };

    internal Action<GuestWord.Found> OnFound { get; init; } = _ => { };

    /// <summary>What else it is told, as `crust.NAME=VALUE` on the kernel's command line; no blanks.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];
}

/// <summary>Runs one job in the appliance: in a machine with nothing but the disk, no network, and a kernel that QEMU loads itself.</summary>
internal sealed class ApplianceRun(ApplianceBuilder builder, MachineLauncher launcher)
{
    private const long Memory = 1L << 30;

    /// <returns>The sentence with which it ended.</returns>
    /// <exception cref="CrustException">It failed, or anything else than a power-off after it was done ended the machine.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; QEMU is gone.</exception>
    public async Task<string> RunAsync(ApplianceJob job, CancellationToken cancellation)
    {
        var appliance = await builder.GetAsync(job.Arch, cancellation);
        await using var machine = await launcher.StartAsync(new MachineDescription
        {
            Name = job.Name,
            Arch = job.Arch,
            Accelerator = job.Accelerator,
            Memory = Memory,
            Network = MachineNetwork.None,
            Drives = [job.Disk],
            DirectBoot = new DirectBoot(appliance.Kernel, appliance.Initramfs, [$"crust.job={job.Name}", .. job.Arguments, .. appliance.SerialConsoles, .. appliance.KernelArguments]),
        }, job.SerialLog, cancellation);
        machine.OnSignal = (signal, _) => Tell(signal, job);

        await machine.WaitAsync(_ => false, job.Deadline, cancellation);
        var (outcome, facts) = await machine.EndAsync(OnReboot.Fail);
        cancellation.ThrowIfCancellationRequested();
        return outcome is MachineOutcome.PoweredOff && facts.JobDone is { } done
            ? done
            : throw MachineFailure.Of(outcome, $"the appliance's job '{job.Name}'", new RunEvidence(machine.SerialTail, job.SerialLog));
    }

    private static void Tell(MachineSignal signal, ApplianceJob job)
    {
        switch (signal)
        {
            case MachineSignal.Word { Said: GuestWord.Progress progress }:
                job.OnProgress(progress.Fraction, progress.Detail);
                break;
            case MachineSignal.Word { Said: GuestWord.Warning warning }:
                job.OnWarning(warning.Message);
                break;
            case MachineSignal.Word { Said: GuestWord.Found found }:
                job.OnFound(found);
                break;
        }
    }
}
