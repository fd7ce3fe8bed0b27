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
}
