using System.Collections.Immutable;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Appliance;

/// <param name="Name">Its name: a script of `builder/appliance/jobs`.</param>
/// <param name="Accelerator">What runs the guest, as the probe chose it.</param>
/// <param name="SerialLog">Gets the serial port's output.</param>
internal sealed record ApplianceJob(string Name, Drive.Disk Disk, Accelerator Accelerator, string SerialLog)
{
    /// <summary>
    /// What the appliance should be for a job that runs nothing of the disk: file systems are the same everywhere, and the appliance is quickest on a processor like this host's.
    /// </summary>
    public static Arch QuickestFor(Arch disk, ToolBox tools) =>
        HostArch.Current is { } host && tools.Find(QemuArguments.ProgramFor(host)) is not null ? host : disk;

    /// <summary>The disk's architecture; the appliance has the same.</summary>
    public Arch Arch { get; init; } = Arch.Amd64;

    /// <summary>A file that the job reads as a second disk, of whole sectors; null for none.</summary>
    public string? Data { get; init; }

    /// <summary>A raw file that the job writes to as another disk; null for none. The job knows it by its size, which differs from that of <see cref="Disk"/>.</summary>
    public string? Output { get; init; }

    /// <summary>What the machine has to be like for programs that the job runs: it is booted then, unless a saved one is like that. Null for a job that brings its own, in the appliance's own machine.</summary>
    public MachineSpec? Like { get; init; }

    /// <summary>The machine's time; null for now.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>What the job is, for messages.</summary>
    public string Title { get => field ?? $"the appliance's job '{Name}'"; init; }

    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Receives how far the job is, from 0 to 1, and what it does.</summary>
    public Action<double, string> OnProgress { get; init; } = (_, _) => { };

    public Action<string> OnWarning { get; init; } = _ => { };

    internal Action<GuestWord.Found> OnFound { get; init; } = _ => { };

    /// <summary>Receives what programs print that the job runs, line by line.</summary>
    public Action<string> OnOutput { get; init; } = _ => { };

    internal ImmutableArray<Drive> Drives =>
    [
        Disk,
        .. Output is null ? [] : new[] { new Drive.Disk("raw") { File = Output } },
        .. Data is null ? [] : new[] { new Drive.Disk("raw") { File = Data, ReadOnly = true } },
    ];

    /// <summary>Its arguments, `NAME=VALUE`; no line feeds.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];
}

/// <summary>Runs one job in the appliance, which is restored from a saved machine where that can be, and booted where it can't.</summary>
/// <param name="builder">Has the appliance.</param>
/// <param name="warm">Has the saved machine.</param>
/// <param name="launcher">Starts machines.</param>
/// <param name="time">What a restored machine's clock is set to.</param>
internal sealed class ApplianceRun(ApplianceBuilder builder, WarmAppliance warm, MachineLauncher launcher, TimeProvider time)
{
    /// <summary>How long a restored appliance may take to say hello; it needs half a second on an idle host.</summary>
    internal TimeSpan HelloDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <returns>The sentence with which it ended.</returns>
    /// <exception cref="CrustException">It failed, or anything else than a power-off after it was done ended the machine.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; QEMU is gone.</exception>
    public async Task<string> RunAsync(ApplianceJob job, CancellationToken cancellation)
    {
        var appliance = await builder.GetAsync(job.Arch, cancellation);
        await using var machine = (job.Like is null || ApplianceMachine.IsSavedLike(job.Like) ? await RestoreAsync(appliance, job, cancellation) : null) ?? await BootAsync(appliance, job, cancellation);
        await machine.WaitAsync(_ => false, job.Deadline, cancellation);
        var (outcome, facts) = await machine.EndAsync(OnReboot.Fail);
        cancellation.ThrowIfCancellationRequested();
        return outcome is MachineOutcome.PoweredOff && facts.JobDone is { } done
            ? done
            : throw MachineFailure.Of(outcome, job.Title, new RunEvidence(machine.SerialTail, job.SerialLog));
    }

    // Null where there is no saved machine, or what was restored didn't come to its job: nothing was done to the disk then.
    private async Task<RunningMachine?> RestoreAsync(ApplianceImage appliance, ApplianceJob job, CancellationToken cancellation)
    {
        if (await warm.OpenAsync(appliance, job.Accelerator, cancellation) is not { } saved)
        {
            return null;
        }

        RunningMachine? machine = null;
        try
        {
            machine = await launcher.StartAsync(ApplianceMachine.ToRestore(appliance, job.Accelerator, job.Drives, saved), job.SerialLog, cancellation);
            machine.OnSignal = (signal, _) => Tell(signal, job);
            await machine.SayAsync(Orders(job, isRestored: true), cancellation);
            var facts = await machine.WaitAsync(facts => facts.Job is not null, HelloDeadline, cancellation);
            if (facts.Job is not null)
            {
                return machine;
            }

            warm.GiveUp(appliance, job.Accelerator, new TimeoutException($"it didn't say hello within {HelloDeadline.TotalSeconds:0} s, or ended: {MachineFailure.LastLines(machine.SerialTail)}"));
        }
        catch (Exception e) when (e is CrustException or IOException)
        {
            warm.GiveUp(appliance, job.Accelerator, e);
        }
        catch
        {
            await (machine?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }

        await (machine?.DisposeAsync() ?? ValueTask.CompletedTask);
        return null;
    }

    private async Task<RunningMachine> BootAsync(ApplianceImage appliance, ApplianceJob job, CancellationToken cancellation)
    {
        var machine = await launcher.StartAsync(ApplianceMachine.ToBoot(appliance, job.Accelerator, job.Drives, job.Like), job.SerialLog, cancellation);
        try
        {
            machine.OnSignal = (signal, _) => Tell(signal, job);
            var facts = await machine.WaitAsync(facts => facts.IsReady, job.Deadline, cancellation);
            if (facts.IsReady)
            {
                await machine.SayAsync(Orders(job, isRestored: false), cancellation);
            }

            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    // As builder/appliance/await.sh reads it.
    private string Orders(ApplianceJob job, bool isRestored) => string.Concat(
        new[] { $"job={job.Name}", $"time={(job.Time ?? time.GetUtcNow()).ToUnixTimeSeconds()}", $"disks={(job.Output is null ? 1 : 2)}" }
            .Concat(isRestored ? ["restored=1"] : []).Concat(job.Arguments).Append("go").Select(line => line + "\n"));

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
            case MachineSignal.Word { Said: GuestWord.Output output }:
                job.OnOutput(output.Line);
                break;
            case MachineSignal.Word { Said: GuestWord.Found found }:
                job.OnFound(found);
                break;
        }
    }
}
