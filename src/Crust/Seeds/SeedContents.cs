using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds;

public enum SeedCarrier
{
    /// <summary>Nothing: there is no seed.</summary>
    Nothing,

    /// <summary>A volume of its own.</summary>
    Volume,

    /// <summary>QEMU's fw_cfg device.</summary>
    Firmware,

    /// <summary>A copy of the installer's ISO, with files put in.</summary>
    Iso,

    /// <summary>The installer's own initramfs, to which they are appended.</summary>
    Initramfs,
}

/// <summary>Whether the machine starts with the installer's kernel, in place of the ISO's boot loader.</summary>
public enum KernelNeed
{
    /// <summary>No, unless the spec says so.</summary>
    None,

    /// <summary>Where the ISO has a layout that is known; without it, somebody may have to press a key.</summary>
    Wanted,

    /// <summary>Yes: the installer isn't told anything in another way.</summary>
    Required,
}

/// <summary>One document of a seed. It may hold secrets.</summary>
/// <param name="Name">Its path where it goes: `user-data`.</param>
internal sealed record SeedDocument(string Name, string Text)
{
    /// <summary>The same as a tree whose parts know where they come from; null for what isn't YAML, or is taken as it is.</summary>
    internal ConfigNode? Tree { get; init; }

    /// <summary>The documents that its text puts together, where it is a MIME archive; empty for one that is none, or the user's own.</summary>
    internal ImmutableArray<SeedDocument> Parts { get; init; } = [];

    /// <summary>How it is merged with the parts before it, in cloud-init's words; null for cloud-init's default, and for what is no part.</summary>
    internal string? MergeType { get; init; }

    /// <summary>Parts of the text that nobody may see, where it has no tree to say so.</summary>
    internal ImmutableArray<string> Secrets { get; init; } = [];

    /// <summary>Whether it differs from build to build by intent, and so isn't part of the build key.</summary>
    internal bool IsFresh { get; init; }

    /// <summary>Several documents as one that cloud-init takes apart again.</summary>
    public static SeedDocument Archive(string name, ImmutableArray<SeedDocument> parts) =>
        new(name, MimeArchive.Write([.. parts.Select(part => new MimePart(part.Text, part.Tree is not null, part.MergeType))])) { Parts = parts };

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"{Name}, {Text.Length} characters";
}

/// <summary>What a kind of seed makes of a spec: documents, and the way they go.</summary>
internal sealed record SeedContents
{
    public required SeedCarrier Carrier { get; init; }

    /// <summary>The label of the volume, which carries the user's files too; null where there is no volume.</summary>
    public string? Label { get; init; }

    public ImmutableArray<SeedDocument> Documents { get; init; } = [];

    /// <summary>What the installer's kernel is told beside its other arguments; empty for nothing.</summary>
    public string KernelArguments { get; init; } = "";

    /// <summary>Whether the machine starts with the installer's kernel.</summary>
    public KernelNeed Kernel { get; init; }
}

/// <param name="Files">The files that it names.</param>
/// <param name="Profile">The family of systems; null if nobody knows.</param>
/// <param name="Salt">The salt of the password's hash.</param>
/// <param name="InstanceId">Fresh for each build.</param>
internal sealed record SeedRequest(BuildSpec Spec, SeedFiles Files, SeedProfile? Profile, string Salt, Guid InstanceId);
