using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Crust.Installers;

namespace Crust.Media;

/// <summary>What is known of a base that live installers are made from. It is kept beside the packed system, so that nobody has to look into that again.</summary>
internal sealed record LiveFacts
{
    /// <summary>Where the kernel is in the base.</summary>
    public required string Kernel { get; init; }

    /// <summary>The kernel's version; null if that isn't known.</summary>
    public string? KernelVersion { get; init; }

    /// <summary>Further kernels in the base.</summary>
    public ImmutableArray<string> OtherKernels { get; init; } = [];

    /// <summary>Where the initramfs is in the base.</summary>
    public required string Initrd { get; init; }

    /// <summary>The modules of dracut in it.</summary>
    public ImmutableArray<string> Dracut { get; init; } = [];

    /// <summary>The drivers in it, and those that are part of the kernel.</summary>
    public ImmutableArray<string> Drivers { get; init; } = [];

    /// <summary>Why nobody knows what is in it; null if that is known.</summary>
    public string? Unreadable { get; init; }

    /// <summary>Where GRUB for UEFI is in the base.</summary>
    public required string Grub { get; init; }

    /// <summary>Whether its distribution has signed it.</summary>
    public bool IsSigned { get; init; }

    /// <summary>Where shim is in the base; null if there is none.</summary>
    public string? Shim { get; init; }

    /// <summary>Whether shim's tool for keys is there, too.</summary>
    public bool HasManager { get; init; }

    /// <summary>The distribution, `ID` of os-release; empty if there is none.</summary>
    public string Distribution { get; init; } = "";

    /// <summary>The distribution for people, `PRETTY_NAME` of os-release.</summary>
    public string System { get; init; } = "";

    /// <summary>`KAIROS_ARCH` of /etc/kairos-release; null if there is none.</summary>
    public string? KairosArch { get; init; }

    /// <summary>`KAIROS_FLAVOR`; null if there is none.</summary>
    public string? KairosFlavor { get; init; }

    /// <summary>The agent that installs, by its path; null if there is none.</summary>
    public string? Agent { get; init; }

    /// <summary>Whether it is made for Palette: /opt/spectrocloud is there.</summary>
    public bool IsStylus { get; init; }

    /// <summary>Whether the agent installs without any account (/etc/kairos/.nousers).</summary>
    public bool NoUsers { get; init; }

    /// <summary>Accounts of the base itself that can log in.</summary>
    public ImmutableArray<string> Accounts { get; init; } = [];

    /// <summary>Configuration in the base that the agent merges with the medium's.</summary>
    public ImmutableArray<string> Configs { get; init; } = [];

    /// <summary>About how many bytes the system takes on a disk.</summary>
    public long RootBytes { get; init; }
}

[JsonSerializable(typeof(LiveFacts))]
[JsonSerializable(typeof(MediumManifest))]
[JsonSerializable(typeof(ReferenceIsoRecord))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
internal sealed partial class LiveJson : JsonSerializerContext;
