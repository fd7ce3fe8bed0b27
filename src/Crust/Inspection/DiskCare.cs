using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Disks;
using Crust.Formats;
using Crust.Inspection.Evidence;
using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Inspection;

/// <summary>
/// Tidies installed disks, looks at them and takes out of them what their file systems don't use any more, all in one boot of the appliance on an overlay. What was
/// tidied is taken over as a whole, and only if all of it went well; where nothing was, the overlay's discarded blocks become holes and nothing else of the disk changes.
/// </summary>
/// <param name="tools">Needs qemu-img.</param>
/// <param name="observer">Hears how far it is, and what had to be left as it is.</param>
/// <param name="time">Gives the day by which passwords are judged.</param>
internal sealed class DiskCare(ToolBox tools, ApplianceRun appliance, IBuildObserver observer, TimeProvider time)
{
    /// <summary>Changes whenever the same disk would be trimmed otherwise.</summary>
    internal const int TrimVersion = 2;

    /// <summary>Changes whenever the same disk would be tidied otherwise.</summary>
    internal const int TidyVersion = 1;

    /// <summary>Looks at a disk, which isn't changed.</summary>
    /// <param name="disk">The disk, in any format that QEMU reads.</param>
    /// <param name="folder">A private folder for the overlay and the serial log.</param>
    /// <param name="arch">Its architecture; a system of another is read all the same.</param>
    /// <param name="accelerator">What runs guests of that architecture, as the probe chose it.</param>
    /// <exception cref="CrustException">qemu-img or the appliance failed.</exception>
    public async Task<DiskInspection> InspectAsync(QemuDisk disk, string folder, Arch arch, Accelerator accelerator, CancellationToken cancellation)
    {
        using var overlay = await DiskOverlay.CreateAsync(disk, OverlayIn(folder), tools, cancellation);
        var evidence = await RunAsync(overlay, new DiskWork(disk.Path, arch, accelerator) { Inspect = true }, cancellation);
        return InspectionReader.Read(evidence, Today);
    }

    /// <summary>Works on a raw disk in place.</summary>
    /// <returns>What came of it. Where it couldn't be done and needn't, a warning says why, and the disk is as it was.</returns>
    /// <exception cref="CrustException">The disk lacks what its installer should have left; or it can't be tidied as the user asked for. It is as it was.</exception>
    public async Task<DiskWorked> WorkAsync(DiskWork work, CancellationToken cancellation)
    {
        try
        {
            return await WorkOnOverlayAsync(work, cancellation);
        }
        catch (Exception e) when (e is IOException or ApplianceFailure)
        {
            var cause = e.InnerException as CrustException;
            var reason = cause?.What ?? e.Message;
            if (work is { MustTidy: true, Tidy.IsEmpty: false })
            {
                var remedy = $"leave out of tidy what can't be done on this system (now {string.Join(", ", work.Tidy.Select(step => step.LowerName()))}), or set tidy: none";
                throw new CrustException(cause?.Kind ?? FailureKind.InputOutput, $"The installed disk couldn't be tidied: {reason}", cause?.Where ?? work.Disk, remedy, e)
                {
                    Detail = cause?.Detail ?? "",
                };
            }

            if (!work.Tidy.IsEmpty && cause?.Kind is FailureKind.GuestFailed)
            {
                observer.Observe(new BuildEvent.Warned($"The installed disk couldn't be tidied, and is shipped as the installer left it ({reason}); tidy: none doesn't try it"));
                return await WorkAsync(work with { Tidy = [] }, cancellation);
            }

            observer.Observe(new BuildEvent.Warned($"The installed disk is shipped as the installer left it, without {work.Describe()} ({reason}); {Switches(work)} doesn't try it"));
            return DiskWorked.Nothing;
        }
    }

    private DateOnly Today => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);

    private async Task<DiskWorked> WorkOnOverlayAsync(DiskWork work, CancellationToken cancellation)
    {
        using var overlay = await Wrap(() => DiskOverlay.CreateAsync(new QemuDisk(QemuDisk.Raw, work.Disk), OverlayIn(work.Folder), tools, cancellation));
        var evidence = await Wrap(() => RunAsync(overlay, work, cancellation));
        var inspection = work.Inspect ? InspectionReader.Read(evidence, Today) : null;
        if (inspection is not null && InstallMarks.Check(inspection, work.Profile, work.Disk) is { } doubt)
        {
            Warn([doubt]);
        }

        Warn(CheckTidied(work, evidence));
        var changes = await Wrap(() => overlay.ReadChangesAsync(cancellation));
        var tidied = evidence.Tidied();
        var freed = !tidied.IsEmpty ? TakeOver(overlay, work.Disk, changes, cancellation) : work.Trim ? DiskOverlay.Discard(work.Disk, changes) : 0;
        return new DiskWorked(inspection, tidied, work.Trim ? Math.Max(0, freed) : null);
    }

    // A disk that was written in part is of no use to anybody.
    private static long TakeOver(DiskOverlay overlay, string disk, ImmutableArray<OverlayChange> changes, CancellationToken cancellation)
    {
        try
        {
            return overlay.TakeOver(disk, changes, cancellation);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The tidied disk can't be written: {e.Message}", disk,
                "free space on the cache's file system, or set CRUST_CACHE to one that has more", e);
        }
    }

    /// <summary>Checks that what had to be tidied was.</summary>
    /// <returns>Warnings of what was left and needn't have been tidied.</returns>
    /// <exception cref="CrustException">Something that the user asked for couldn't be done.</exception>
    internal static ImmutableArray<string> CheckTidied(DiskWork work, DiskEvidence evidence)
    {
        var left = evidence.NotTidied();
        if (work is { MustTidy: true, Tidy.IsEmpty: false })
        {
            if (evidence.TidiedSystems == 0 && evidence.Tidied().IsEmpty)
            {
                throw Untidied("there is no operating system on it that can be read and written", "set tidy: none, or leave it out");
            }

            if (left is [var (part, reason), ..])
            {
                throw Untidied($"{part.Path}: {reason}", $"leave {part.Step} out of tidy, or let the installer see to it");
            }
        }

        return [.. left.Select(one => $"{one.Part.Path} isn't tidied: {one.Reason}")];

        CrustException Untidied(string why, string remedy) => new(FailureKind.GuestFailed, $"The installed disk couldn't be tidied: {why}", work.Disk, remedy);
    }

    private void Warn(IEnumerable<string> warnings)
    {
        foreach (var warning in warnings)
        {
            observer.Observe(new BuildEvent.Warned(warning));
        }
    }

    private async Task<DiskEvidence> RunAsync(DiskOverlay overlay, DiskWork work, CancellationToken cancellation)
    {
        var evidence = new DiskEvidence();
        var serialLog = overlay.Path + ".log";
        var told = string.Join(',', work.Tidy.Select(step => step.LowerName()));
        Progress(0, "starting the appliance");
        try
        {
            await appliance.RunAsync(new ApplianceJob("disk", new Drive.Disk(QemuImg.OverlayDriver) { File = overlay.Path }, work.Accelerator, serialLog)
            {
                // KVM was chosen only if the disk's own is this host's, too.
                Arch = ApplianceJob.QuickestFor(work.Arch, tools),
                Arguments = [$"steps={string.Join(',', Steps(work))}", $"tidy={told}"],
                OnProgress = Progress,
                OnWarning = warning => observer.Observe(new BuildEvent.Warned($"the disk: {warning}", "the disk")),
                OnFound = evidence.Add,
            }, cancellation);
            return evidence;
        }
        finally
        {
            File.Delete(serialLog);
        }
    }

    private static string OverlayIn(string folder) => Path.Combine(folder, $"{Guid.NewGuid():N}.overlay");

    private void Progress(double fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Disk, null, fraction, detail));

    private static IEnumerable<string> Steps(DiskWork work) =>
        new (string Name, bool Wanted)[] { ("tidy", !work.Tidy.IsEmpty), ("inspect", work.Inspect), ("trim", work.Trim) }.Where(step => step.Wanted).Select(step => step.Name);

    private static string Switches(DiskWork work) =>
        string.Join(", ", new (string Text, bool Wanted)[] { ("tidy: none", !work.Tidy.IsEmpty), ("inspect: false", work.Inspect), ("trim: false", work.Trim) }.Where(one => one.Wanted)
            .Select(one => one.Text));

    // What tools and the appliance say is one thing, what the disk is found to be another: only the first may be taken for a mere mishap.
    private static async Task<T> Wrap<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (CrustException e)
        {
            throw new ApplianceFailure(e);
        }
    }

    private sealed class ApplianceFailure(CrustException cause) : Exception(cause.What, cause);
}
