using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>One entry of `layers`: something that is put onto the disk after it was installed, before anything is made of it.</summary>
internal abstract record LayerSpec
{
    private LayerSpec()
    {
    }

    /// <summary>Where it stands: `crust.yaml:7:5, layers[0]`.</summary>
    public required string Where { get; init; }

    /// <summary>Its kind, by the key that names it: `files`.</summary>
    public abstract string Kind { get; }

    /// <summary>What it is made of, for people.</summary>
    public abstract string Shown { get; }

    /// <summary>The files and folders of this host that it names: absolute paths.</summary>
    public virtual ImmutableArray<string> Paths => [];

    /// <summary>A folder or a tar archive whose entries go onto the disk's root.</summary>
    /// <param name="Path">Its absolute path.</param>
    public sealed record Files(string Path) : LayerSpec
    {
        public override string Kind => "files";

        public override string Shown => System.IO.Path.GetFileName(Path);

        public override ImmutableArray<string> Paths => [Path];
    }

    /// <summary>A script that runs in the disk's root.</summary>
    /// <param name="Path">Its absolute path.</param>
    public sealed record Script(string Path) : LayerSpec
    {
        public override string Kind => "script";

        public override string Shown => System.IO.Path.GetFileName(Path);

        public override ImmutableArray<string> Paths => [Path];
    }

    /// <summary>Packages that the disk's own package manager installs.</summary>
    /// <param name="Names">Their names, in the order in which they were given.</param>
    /// <param name="Upgrade">Whether all packages that are there are upgraded first.</param>
    public sealed record Packages(ImmutableArray<string> Names, bool Upgrade) : LayerSpec
    {
        public override string Kind => "packages";

        public override string Shown => string.Join(" ", Names.Concat(Upgrade ? ["(upgrade)"] : []));
    }

    /// <summary>Upstream software, as a recipe says.</summary>
    /// <param name="Version">The version; null for the locked one, or the newest that the recipe pins.</param>
    /// <param name="Variant">The variant; null for the default.</param>
    /// <param name="Folder">The folder in which recipes, lock file and mirrors of the user's may be.</param>
    public sealed record Recipe(string Name, string? Version, string? Variant, string Folder) : LayerSpec
    {
        public override string Kind => "recipe";

        public override string Shown => $"{Name}{(Version is null ? "" : $"@{Version}")}{(Variant is null ? "" : $" ({Variant})")}";
    }

    /// <summary>Archives of container images, put where something on the disk imports them from.</summary>
    /// <param name="Archives">Their absolute paths.</param>
    /// <param name="Into">The folder on the disk, absolute.</param>
    public sealed record Images(ImmutableArray<string> Archives, string Into) : LayerSpec
    {
        public override string Kind => "images";

        public override string Shown => string.Join(" ", Archives.Select(System.IO.Path.GetFileName));

        public override ImmutableArray<string> Paths => Archives;
    }

    /// <summary>A file of cloud-init's own configuration.</summary>
    /// <param name="Path">Its absolute path.</param>
    public sealed record Config(string Path) : LayerSpec
    {
        public override string Kind => "config";

        public override string Shown => System.IO.Path.GetFileName(Path);

        public override ImmutableArray<string> Paths => [Path];
    }

    /// <summary>A system extension, put where the system on the disk merges it from.</summary>
    /// <param name="Source">Where it comes from.</param>
    /// <param name="Profile">The kind of system on the disk: a name of `crust sysext build --profile`.</param>
    /// <param name="Partition">The partition of Flatcar's that it goes to: `ROOT` or `OEM`; null on other systems.</param>
    public sealed record Sysext(SysextOrigin Source, string Profile, string? Partition) : LayerSpec
    {
        public override string Kind => "sysext";

        public override string Shown => Source.Shown + (Partition is null ? "" : $" on {Partition}");

        public override ImmutableArray<string> Paths => Source.Paths;
    }

    /// <summary>Accounts that cloud-init makes on the first boot.</summary>
    public sealed record Users(ImmutableArray<LayerUser> Accounts) : LayerSpec
    {
        public override string Kind => "users";

        public override string Shown => string.Join(" ", Accounts.Select(account => account.Name));

        public override ImmutableArray<string> Paths => [.. Accounts.SelectMany(account => account.KeyFiles).Distinct()];
    }

    /// <summary>What finds out on the first boot which node a machine is, and sets it up by a bootstrap repository.</summary>
    /// <param name="Nodes">The nodes file: an absolute path.</param>
    public sealed record FirstBoot(string Nodes) : LayerSpec
    {
        /// <summary>How long the repository is waited for before the copy in the image serves, where a spec doesn't say it.</summary>
        public static readonly TimeSpan UsualPatience = TimeSpan.FromMinutes(5);

        public override string Kind => FirstBootLayerReader.Kind;

        /// <summary>An https or ssh address; null where only the copy is there.</summary>
        public string? Repository { get; init; }

        /// <summary>The commit that runs; null where it is a branch, a tarball or the copy.</summary>
        public string? Commit { get; init; }

        /// <summary>The branch whose newest commit runs if it is signed; null for none.</summary>
        public string? Branch { get; init; }

        /// <summary>The SHA-256 of the tarball that <see cref="Repository"/> then is; null for git.</summary>
        public string? Sha256 { get; init; }

        /// <summary>A file of public keys, OpenSSH's or GPG's, one of which has to have signed the commit; null where none has to. An absolute path.</summary>
        public string? Key { get; init; }

        /// <summary>The host keys of ssh servers: an absolute path; null for none.</summary>
        public string? KnownHosts { get; init; }

        /// <summary>A folder or a tar archive with what the repository has, for sites without a network: an absolute path; null for none.</summary>
        public string? Copy { get; init; }

        /// <summary>How long the repository is waited for before the copy serves.</summary>
        public TimeSpan Patience { get; init; } = UsualPatience;

        /// <summary>Where the node has the token by which it joins: a path on it.</summary>
        public required string Token { get; init; }

        /// <summary>What gets reports of how far a node is; null for nothing.</summary>
        public string? Webhook { get; init; }

        public override string Shown => Repository is null ? $"{System.IO.Path.GetFileName(Copy)}" : $"{Repository.Split('?')[0]}@{(Commit ?? Sha256)?[..12] ?? Branch}";

        public override ImmutableArray<string> Paths => [.. new[] { Nodes, Key, KnownHosts, Copy }.OfType<string>()];
    }

    /// <summary>What makes a machine a k3s node on its first boot, as its user-data says.</summary>
    /// <param name="Role">What it is where user-data doesn't say: `cluster`, `server` or `agent`; null for nothing.</param>
    /// <param name="Url">The server that it joins; null for none.</param>
    /// <param name="TokenFile">The file of the node's that holds the token; null for none.</param>
    /// <param name="Options">Options of k3s, each with its values.</param>
    /// <param name="Flux">The repository that Flux follows; null for none.</param>
    public sealed record K3s(string? Role, string? Url, string? TokenFile, ImmutableSortedDictionary<string, ImmutableArray<string>> Options, K3sFlux? Flux) : LayerSpec
    {
        public override string Kind => "k3s";

        public override string Shown => Role ?? "as user-data says";
    }

    /// <summary>The OEM id by which a Flatcar image knows the platform that it runs on (`base.vendor`).</summary>
    public sealed record Vendor(string Id) : LayerSpec
    {
        public override string Kind => "vendor";

        public override string Shown => Id;
    }
}

/// <summary>Where a system extension of a layer comes from.</summary>
internal abstract record SysextOrigin
{
    private SysextOrigin()
    {
    }

    /// <summary>What it is, for people.</summary>
    public abstract string Shown { get; }

    /// <summary>The files of this host that it needs: absolute paths.</summary>
    public virtual ImmutableArray<string> Paths => [];

    /// <summary>Built from a recipe.</summary>
    public sealed record Built(LayerSpec.Recipe Recipe) : SysextOrigin
    {
        public override string Shown => Recipe.Shown;
    }

    /// <summary>A file that is here already.</summary>
    /// <param name="Path">Its absolute path.</param>
    public sealed record Local(string Path) : SysextOrigin
    {
        public override string Shown => System.IO.Path.GetFileName(Path);

        public override ImmutableArray<string> Paths => [Path];
    }

    /// <summary>A file of a published index, as systemd-sysupdate would find it there.</summary>
    /// <param name="Url">The index's folder; ends with a slash.</param>
    public sealed record Published(Uri Url, string Name, string Version) : SysextOrigin
    {
        /// <summary>A file of GPG's public keys, one of which has to have signed the index; null where it needn't be signed.</summary>
        public string? Key { get; init; }

        /// <summary>The SHA-256 that the file must have; null for the one that the index says.</summary>
        public string? Sha256 { get; init; }

        /// <summary>Takes a list of checksums that comes by plain HTTP without a signature.</summary>
        public bool AllowUnverified { get; init; }

        public override string Shown => $"{Name}@{Version}";

        public override ImmutableArray<string> Paths => Key is null ? [] : [Key];
    }
}

/// <summary>A git repository that Flux follows.</summary>
/// <param name="Path">The folder in it.</param>
internal sealed record K3sFlux(string Repository, string Branch, string Path);

/// <summary>An account of a `users` layer.</summary>
/// <param name="Keys">Its public keys, as OpenSSH writes them.</param>
/// <param name="KeyFiles">The files that they were read from.</param>
/// <param name="Sudo">Whether it may do everything, without being asked for a password that it hasn't.</param>
/// <param name="Shell">Its shell; null for the system's default.</param>
internal sealed record LayerUser(string Name, ImmutableArray<string> Keys, ImmutableArray<string> KeyFiles, bool Sudo, ImmutableArray<string> Groups, string? Shell);
