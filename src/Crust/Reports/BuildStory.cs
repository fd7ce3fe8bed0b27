using System.Collections.Immutable;
using Crust.Disks;
using Crust.Events;
using Crust.Machines;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;

namespace Crust.Reports;

/// <summary>All that is known of a build when it has ended, well or badly: what its report tells.</summary>
internal sealed record BuildStory
{
    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>What was asked for. It holds secrets; the report takes them out of every text.</summary>
    public required BuildSpec Spec { get; init; }

    public required Redactor Hidden { get; init; }

    /// <summary>Where in the seed's documents there are secrets, which the images carry: `stylus.site.edgeHostToken`.</summary>
    public ImmutableArray<string> SecretsCarried { get; init; } = [];

    public required DiskOrigin Origin { get; init; }

    /// <summary>The files that the seed was made of.</summary>
    public required ImmutableArray<SeedFile> SeedFiles { get; init; }

    public required string BuildKey { get; init; }

    /// <summary>What tells this machine whether secrets are the same; null where the build key does.</summary>
    public string? SecretsMark { get; init; }

    /// <summary>Where the user finds the images.</summary>
    public required string ImagesFolder { get; init; }

    public required HostFacts Host { get; init; }

    public DateTimeOffset Started { get; init; }

    /// <summary>How long it took, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>The stages in the order in which they began; in one without a result the build failed.</summary>
    public ImmutableArray<StageRecord> Stages { get; init; } = [];

    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>The installer's run in the machine, perhaps of an earlier build; null if there was none that tells anything.</summary>
    public InstallFacts? Install { get; init; }

    /// <summary>Whether the disk was taken from the cache.</summary>
    public bool FromCache { get; init; }

    /// <summary>The manifest; null if the build failed.</summary>
    public Manifest? Manifest { get; init; }

    /// <summary>Why the build failed; null if it went well.</summary>
    public CrustException? Failure { get; init; }

    /// <summary>The serial log that is shown: the installer's, or that of the image that didn't come up. The file needn't exist.</summary>
    public string? SerialLog { get; init; }

    /// <summary>Where the user finds the serial log.</summary>
    public string SerialLogName { get; init; } = "";

    /// <summary>The folder of the installer's screens; it needn't exist.</summary>
    public string? Screens { get; init; }

    /// <summary>A PNG of the last screen of the machine that failed; the file needn't exist.</summary>
    public string? LastScreen { get; init; }

    /// <summary>The story once there is an installed disk.</summary>
    internal BuildStory With(DiskFacts disk, RunFiles files) => this with
    {
        Install = disk.Install,
        FromCache = disk.FromCache,
        SerialLog = disk.FromCache ? Path.Combine(disk.RunFolder, RunFiles.SerialLogName) : files.SerialLog.Now,
        SerialLogName = disk.FromCache ? Path.Combine(disk.RunFolder, RunFiles.SerialLogName) : files.SerialLog.KeptAs,
        Screens = disk.FromCache ? Path.Combine(disk.RunFolder, RunFiles.ScreensName) : files.ScreensFolder,
    };

    /// <summary>The story of a build that went well.</summary>
    internal BuildStory Ended(BuildJournal journal, Manifest manifest) => Ended(journal) with { Manifest = manifest, Warnings = manifest.Warnings };

    /// <summary>The story of a build that failed, perhaps in the installer's machine, which left <paramref name="files"/>.</summary>
    internal BuildStory Ended(BuildJournal journal, CrustException failure, RunFiles files)
    {
        var ended = Ended(journal) with { Failure = failure };
        return failure.Find<DiskFacts>() is { } disk ? ended.With(disk, files)
            : failure.Find<InstallFacts>() is { } install ? ended.With(files) with { Install = install, Screens = files.ScreensFolder }
            : failure.Find<RunFiles>() is { } run ? ended.With(run)
            : ended;
    }

    private BuildStory With(RunFiles failed) => this with
    {
        SerialLog = failed.SerialLog.Now,
        SerialLogName = failed.SerialLog.KeptAs,
        LastScreen = failed.Screen.Now,
    };

    private BuildStory Ended(BuildJournal journal) => this with
    {
        Started = journal.Started,
        Seconds = journal.Seconds,
        Stages = journal.Stages,
        Warnings = journal.Warnings,
    };
}
