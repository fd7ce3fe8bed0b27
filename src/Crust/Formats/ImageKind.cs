using Crust.Formats.Headers;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>By what a file shows that it is an image of some kind. Where several kinds match, the one with the greatest sign is it.</summary>
public enum ImageSign
{
    /// <summary>It is of another kind.</summary>
    None,

    /// <summary>It has no header, but what a disk begins with: a partition table, a file system, nothing.</summary>
    Content,

    /// <summary>It is an archive.</summary>
    Archive,

    /// <summary>It is an archive, and its first member's name belongs to the kind.</summary>
    Member,

    /// <summary>It is compressed.</summary>
    Compression,

    /// <summary>It is compressed, and so is an archive whose first member's name belongs to the kind.</summary>
    CompressedMember,

    /// <summary>Its last sector is the kind's footer.</summary>
    Footer,

    /// <summary>It begins with the kind's header.</summary>
    Header,

    /// <summary>It has the descriptors of an ISO 9660 volume, before which a disk's boot sector may stand.</summary>
    Volume,
}

/// <summary>A kind of image that Crust reads, whoever made it. Those that it writes as well are formats.</summary>
internal interface IImageKind
{
    /// <summary>What users call it.</summary>
    string Name { get; }

    /// <summary>The QEMU block driver that reads it, or the disk in it; null if it isn't one, but a medium that writes one.</summary>
    string? QemuDriver { get; }

    /// <summary>Whether there is a disk in it: it is one, or a medium that writes one. Otherwise it is what <see cref="ReadContentsAsync"/> reads.</summary>
    bool HoldsDisk => QemuDriver is not null;

    /// <summary>
    /// Checks the header of an image that <see cref="QemuDriver"/> reads, before any program of QEMU's does: it throws <see cref="NeedsOtherFilesException"/> or
    /// <see cref="InvalidDataException"/>. Null for kinds that have no header of their own, but wrap a disk of another kind or a raw one.
    /// </summary>
    Action<ImageBytes>? HeaderCheck => null;

    /// <summary>By what a file shows that it is of this kind.</summary>
    ImageSign SignIn(ImageSample file);

    /// <summary>Finds the disk in an image of this kind, perhaps one that somebody else has made. For a medium, the disk that it writes.</summary>
    /// <param name="image">The image's path.</param>
    /// <param name="scratch">A private folder for what has to be unpacked.</param>
    /// <exception cref="CrustException">There is none in it.</exception>
    Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) =>
        Task.FromResult(new QemuDisk(QemuDriver ?? throw new InvalidOperationException($"{Name} is a medium, not a disk"), image));

    /// <summary>What is in a file of a kind that holds no disk; null for kinds that do.</summary>
    /// <exception cref="CrustException">It can't be read, or isn't whole.</exception>
    Task<ArchiveContents?> ReadContentsAsync(string image, CancellationToken cancellation) => Task.FromResult<ArchiveContents?>(null);
}
