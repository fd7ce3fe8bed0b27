using System.Collections.Immutable;
using Crust.Disks;
using Crust.Formats;
using Crust.Machines;
using Crust.Planning;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <summary>Where the system on a disk comes from. What follows knows the disk and this, and needn't know whether an installer has run.</summary>
internal interface IDiskSource
{
    BuildTarget Target { get; }

    DiskOrigin Origin { get; }

    /// <summary>The stage in which the disk is filled.</summary>
    Stage Filling { get; }

    /// <summary>The user's files that take part.</summary>
    ImmutableArray<SeedFile> Files { get; }

    /// <summary>Where in these there are secrets, which the disk and its images will carry.</summary>
    ImmutableArray<string> SecretPaths { get; }

    /// <summary>Checks that the file systems have room for the disk and for images of it.</summary>
    /// <exception cref="CrustException">They don't.</exception>
    void CheckSpace(IEnumerable<IImageFormat> toWrite);

    /// <summary>Puts the system onto an empty raw disk.</summary>
    /// <param name="disk">The disk's path.</param>
    /// <param name="files">Get the serial port's output and pictures of the screen.</param>
    /// <param name="cancellation">Cancels it; no process is left.</param>
    /// <exception cref="CrustException">It failed; nothing may be made of the disk.</exception>
    Task<InstallFacts> FillAsync(string disk, Accelerator accelerator, RunFiles files, CancellationToken cancellation);
}

internal static class SourceStory
{
    /// <summary>What is known of a build before anything is made of its source.</summary>
    public static BuildStory StoryOf(this IDiskSource source, BuildKeys keys, Redactor hidden, string imagesFolder) => new()
    {
        Name = source.Target.Name,
        Spec = source.Target.Spec,
        Hidden = hidden,
        SecretsCarried = source.SecretPaths,
        Origin = source.Origin,
        SeedFiles = source.Files,
        BuildKey = keys.Published,
        SecretsMark = keys.Mark,
        ImagesFolder = imagesFolder,
        Host = HostFacts.Read(),
    };
}
