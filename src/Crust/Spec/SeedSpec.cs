using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>How the installer gets its configuration.</summary>
public enum SeedKind
{
    /// <summary>cloud-init's NoCloud data source: a volume labelled `cidata` with a cloud-config. Kairos, stylus and Elemental read it, too.</summary>
    Nocloud,

    /// <summary>Ubuntu's installer: `autoinstall:` in a NoCloud user-data.</summary>
    Autoinstall,

    /// <summary>Anaconda's: `ks.cfg` on a volume labelled `OEMDRV`.</summary>
    Kickstart,

    /// <summary>Debian's: `preseed.cfg` on the seed volume, named on the kernel's command line.</summary>
    Preseed,

    /// <summary>Fedora CoreOS' and Flatcar's: JSON through QEMU's fw_cfg.</summary>
    Ignition,

    /// <summary>The ISO's own configuration, or files that Crust puts into a copy of it.</summary>
    Embedded,

    /// <summary>Nothing: the installer knows by itself.</summary>
    None,
}

/// <summary>A family of systems, which decides what a seed's defaults and checks are.</summary>
public enum SeedProfile
{
    /// <summary>Kairos.</summary>
    Kairos,

    /// <summary>Spectro Cloud's stylus, which is made of Kairos.</summary>
    Stylus,

    /// <summary>SUSE's Elemental, from which Kairos came.</summary>
    Elemental,

    /// <summary>Debian and its like, configured by cloud-init: Crust's reference installer, too.</summary>
    Debian,
}

public enum SeedFileSystem
{
    /// <summary>ISO 9660 with Joliet and Rock Ridge, on a CD drive.</summary>
    Iso9660,

    /// <summary>FAT, on a disk.</summary>
    Vfat,
}

internal sealed record SeedSpec
{
    public SeedKind Kind { get; init; }

    /// <summary>Which family of systems it belongs to; null for what the ISO says of itself.</summary>
    public SeedProfile? Profile { get; init; }

    /// <summary>The user's own files, in the order in which each is merged over those before; they are merged over what Crust generates.</summary>
    public ImmutableArray<string> UserData { get; init; } = [];

    /// <summary>Whether `${NAME}` in those files stands for an environment variable.</summary>
    public bool Substitute { get; init; }

    /// <summary>The environment that such names stand for; empty unless <see cref="Substitute"/>.</summary>
    public ImmutableDictionary<string, string> Variables { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A cloud-init network-config file, put on the seed as it is; null for none.</summary>
    public string? NetworkConfig { get; init; }

    /// <summary>Files that ride along on the seed volume, or inside the ISO.</summary>
    public ImmutableArray<ExtraFile> Files { get; init; } = [];

    public SeedFileSystem FileSystem { get; init; }

    /// <summary>The installed system's host name; null for what it gives itself.</summary>
    public string? Hostname { get; init; }

    /// <summary>The rules, by name, that aren't checked.</summary>
    public ImmutableArray<string> Ignore { get; init; } = [];

    /// <summary>Whether warnings of the checks are errors.</summary>
    public bool Strict { get; init; }

    /// <summary>Registration with Spectro Cloud's Palette.</summary>
    public PaletteSpec Palette { get; init; } = new();

    public SshSpec Ssh { get; init; } = new();
}

/// <param name="Name">Its path where it goes, without a slash in front.</param>
/// <param name="Path">Where it is, absolute.</param>
internal sealed record ExtraFile(string Name, string Path);

/// <summary>Registration with Spectro Cloud's Palette; each value as stylus documents it.</summary>
internal sealed record PaletteSpec
{
    /// <summary>Palette's host name (`stylus.site.paletteEndpoint`).</summary>
    public string? Endpoint { get; init; }

    /// <summary>Where an edge host registers itself by QR code (`stylus.site.registrationURL`).</summary>
    public string? RegistrationUrl { get; init; }

    /// <summary>The token with which it registers without anybody's help (`stylus.site.edgeHostToken`). A secret.</summary>
    public Secret? EdgeHostToken { get; init; }

    /// <summary>The project that it belongs to, by id (`stylus.site.projectUid`).</summary>
    public string? ProjectUid { get; init; }

    /// <summary>The project that it belongs to, by name (`stylus.site.projectName`).</summary>
    public string? ProjectName { get; init; }

    /// <summary>The edge host's name (`stylus.site.name`); without it, stylus makes one of the machine's serial number.</summary>
    public string? Name { get; init; }

    /// <summary>Tags of the edge host (`stylus.site.tags`).</summary>
    public ImmutableArray<KeyValuePair<string, string>> Tags { get; init; } = [];

    /// <summary>The proxy for HTTP (`stylus.site.network.httpProxy`). It may hold a login, so it is a secret.</summary>
    public Secret? HttpProxy { get; init; }

    /// <summary>The proxy for HTTPS (`stylus.site.network.httpsProxy`). It may hold a login, so it is a secret.</summary>
    public Secret? HttpsProxy { get; init; }

    /// <summary>What is reached without a proxy, with commas (`stylus.site.network.noProxy`).</summary>
    public string? NoProxy { get; init; }

    /// <summary>Files with certificates that it trusts, in PEM (`stylus.site.caCerts`).</summary>
    public ImmutableArray<string> CaCerts { get; init; } = [];

    /// <summary>Time servers (`stylus.site.ntpServers`).</summary>
    public ImmutableArray<string> NtpServers { get; init; } = [];
}

/// <summary>Who may log in to the installed system.</summary>
internal sealed record SshSpec
{
    /// <summary>The account's name; null for no account.</summary>
    public string? User { get; init; }

    /// <summary>Its password, which leaves Crust only as a SHA-512 crypt hash. A secret.</summary>
    public Secret? Password { get; init; }

    /// <summary>Its password's hash, as it stands in /etc/shadow, in place of the password. A secret.</summary>
    public Secret? PasswordHash { get; init; }

    /// <summary>Public keys in OpenSSH's format that may log in as it.</summary>
    public ImmutableArray<string> AuthorizedKeys { get; init; } = [];
}

/// <summary>What can be tidied on an installed disk.</summary>
public enum TidyStep
{
    /// <summary>/etc/machine-id becomes empty, so that each clone makes its own.</summary>
    MachineId,

    /// <summary>The SSH server's host keys go; each clone makes its own.</summary>
    SshHostKeys,

    /// <summary>What was logged during the install goes.</summary>
    Logs,

    /// <summary>What the seed left behind for later boots goes.</summary>
    Seed,

    /// <summary>The random generator's saved state goes: clones would begin with the same.</summary>
    RandomSeed,

    /// <summary>Downloaded packages and package lists go.</summary>
    PackageCache,

    /// <summary>What is in /tmp and /var/tmp goes.</summary>
    Temporary,

    /// <summary>Shells' histories go.</summary>
    History,
}
