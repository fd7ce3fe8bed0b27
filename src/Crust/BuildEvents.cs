namespace Crust;

/// <summary>The stages of a build, in the order in which they run.</summary>
public enum Stage
{
    /// <summary>What the host can do, and whether the spec can be built here.</summary>
    Preflight,

    /// <summary>Building the appliance, Crust's own small live Linux.</summary>
    Appliance,

    /// <summary>Fetching, checking or building the installer ISO.</summary>
    Installer,

    /// <summary>Fetching and checking the base image.</summary>
    Base,

    /// <summary>Fetching upstream software that recipes name.</summary>
    Recipes,

    /// <summary>Composing the seed volume.</summary>
    Seed,

    /// <summary>Looking into the cache in a registry, pulling from it, and pushing to it.</summary>
    Cache,

    /// <summary>The installer's run in the machine.</summary>
    Install,

    /// <summary>Putting the base image onto the disk.</summary>
    Unpack,

    /// <summary>Putting layers onto the installed disk.</summary>
    Layers,

    /// <summary>Collecting and packing container images and files.</summary>
    Content,

    /// <summary>Tidying the installed disk, looking at what is on it, and discarding what its file systems don't use any more.</summary>
    Disk,

    /// <summary>Writing the images.</summary>
    Formats,

    /// <summary>Booting the images.</summary>
    Verify,

    /// <summary>Pushing the images into a registry.</summary>
    Publish,
}

/// <summary>What a build reports to its observer while it runs.</summary>
internal abstract record BuildEvent
{
    private BuildEvent()
    {
    }

    /// <summary>A stage began. <paramref name="Detail"/> says on what, in a few words.</summary>
    public sealed record Started(Stage Stage, string Detail) : BuildEvent;

    /// <summary>
    /// A stage went on. <paramref name="Fraction"/> is between 0 and 1, or null where the end can't be known;
    /// <paramref name="Item"/> names one of several things that the stage does side by side (a format), or is null.
    /// </summary>
    public sealed record Progressed(Stage Stage, string? Item, double? Fraction, string Detail) : BuildEvent;

    /// <summary>A stage ended well after <paramref name="Elapsed"/>. <paramref name="Detail"/> is its result in a few words.</summary>
    public sealed record Finished(Stage Stage, TimeSpan Elapsed, string Detail) : BuildEvent;

    /// <summary>Something that its user asked to know, and that is no warning.</summary>
    public sealed record Noted(string Message) : BuildEvent;

    /// <summary>
    /// Something that doesn't stop the build but that its user should know. <paramref name="Source"/> names the guest that said so, of whose warnings only so many
    /// are told; null for Crust itself.
    /// </summary>
    public sealed record Warned(string Message, string? Source = null) : BuildEvent;
}

/// <summary>Watches a build. Implementations don't throw, and return at once.</summary>
internal interface IBuildObserver
{
    /// <summary>Called for each event, possibly from several threads at a time.</summary>
    void Observe(BuildEvent buildEvent);
}
