using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Sysexts;

/// <summary>What kind of system an extension is for.</summary>
public enum SysextProfile
{
    /// <summary>Any system with systemd.</summary>
    Any,

    /// <summary>Flatcar Container Linux.</summary>
    Flatcar,

    /// <summary>Debian.</summary>
    Debian,

    /// <summary>Kairos.</summary>
    Kairos,
}

/// <summary>How an extension is packed.</summary>
public enum SysextFormat
{
    /// <summary>squashfs.</summary>
    Squashfs,

    /// <summary>EROFS.</summary>
    Erofs,

    /// <summary>ext4.</summary>
    Ext4,

    /// <summary>A discoverable disk image: squashfs with dm-verity and a signature.</summary>
    Ddi,
}

/// <summary>An extension that is to be built.</summary>
internal sealed record SysextPlan
{
    public const string AnyOs = "_any";

    /// <summary>What it is called, on systems and in its file's name.</summary>
    public required string Name { get; init; }

    /// <summary>The version in the file's name, for an index; null for a file that is put into place as it is.</summary>
    public string? Version { get; init; }

    public SysextProfile Profile { get; init; }

    /// <summary>The `ID` of the systems that it is for, or `_any`.</summary>
    public string OsId { get; init; } = AnyOs;

    /// <summary>`SYSEXT_LEVEL`; null for none.</summary>
    public string? Level { get; init; }

    /// <summary>`VERSION_ID`; null for none.</summary>
    public string? OsVersion { get; init; }

    public Arch Arch { get; init; }

    /// <summary>Whether systemd reads its units again after it was merged.</summary>
    public bool Reload { get; init; }

    public SysextFormat Format { get; init; }

    /// <summary>The time of all files, in seconds since 1970.</summary>
    public long Epoch { get; init; }

    /// <summary>The PEM files of the private key and the certificate that sign a <see cref="SysextFormat.Ddi"/>.</summary>
    public (string Key, string Certificate)? Signer { get; init; }

    public string FileName => Version is null ? Name + Suffix : new SysextFile(Name, Version, Arch, Suffix).FileName;

    /// <summary>
    /// The names that systems may look for in `extension-release.d`. Kairos' file names have a second suffix, which systemd takes for a part of the name before version 256.
    /// </summary>
    public ImmutableArray<string> ReleaseNames => Profile is SysextProfile.Kairos ? [Name, Name + ".sysext"] : [Name];

    private string Suffix => Profile is SysextProfile.Kairos ? ".sysext.raw" : ".raw";

    /// <summary>Whether an extension may be called so.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 100 && name[0] != '.' && name.All(c => char.IsAsciiLetterOrDigit(c) || "._+-".Contains(c)) && !name.EndsWith(".raw", StringComparison.Ordinal);

    /// <summary>Checks it, and fills in what the profile says.</summary>
    /// <param name="osId">The `ID` that was asked for; null for the profile's.</param>
    /// <exception cref="CrustException">No such system would merge it.</exception>
    public SysextPlan For(string? osId)
    {
        if (!IsName(Name))
        {
            throw new CrustException(FailureKind.BadInput, $"'{Name}' can't be an extension's name", Name, "use letters, digits, dots, dashes, underscores and plus signs, without .raw at its end");
        }

        if (Version is not null && (SysextFile.Of(FileName)?.Name, SysextFile.Of(FileName)?.Version) != (Name, Version))
        {
            throw new CrustException(FailureKind.BadInput, $"'{Version}' can't be the version in a file's name", $"{Name}@{Version}", "begin it with a digit, or v and a digit; go on with letters, digits and . + ~ ^ _ -");
        }

        var id = osId ?? (Profile is SysextProfile.Flatcar or SysextProfile.Debian ? Profile.LowerName() : AnyOs);
        var plan = this with { OsId = id, Level = Level ?? (id == "flatcar" ? "1.0" : null) };
        foreach (var (option, value) in new[] { ("--os", (string?)id), ("--level", plan.Level), ("--os-version", plan.OsVersion) }.Where(value => value.Item2 is not null && !ReleaseFile.IsPlain(value.Item2)))
        {
            throw new CrustException(FailureKind.BadInput, $"'{value}' can't stand in an extension-release file", option, "use lower-case letters, digits, dots, dashes and underscores");
        }

        return (id, plan.Level, plan.OsVersion) switch
        {
            (AnyOs, null, null) => plan,
            (AnyOs, _, _) => throw new CrustException(FailureKind.BadInput, "systemd compares no level and no version where the ID is _any", plan.Level is null ? "--os-version" : "--level", "leave it out, or name the system with --os ID"),
            ("debian", _, null) => throw new CrustException(FailureKind.BadInput, "Debian's os-release has no SYSEXT_LEVEL, so systemd compares VERSION_ID, which isn't known", "--os debian", "add --os-version 12 (or 13), or use --os _any"),
            (_, null, null) => throw new CrustException(FailureKind.BadInput, $"For systems with ID={id} systemd compares SYSEXT_LEVEL or VERSION_ID, and neither is known", $"--os {id}", "add --level or --os-version as in the system's own os-release, or use --os _any"),
            _ => plan,
        };
    }
}
