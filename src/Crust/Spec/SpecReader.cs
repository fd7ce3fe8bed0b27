using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>Reads a build spec: option over environment over file over default.</summary>
/// <param name="formats">The formats that can be written, in the order that `all` means.</param>
internal sealed class SpecReader(IReadOnlyCollection<SpecFormat> formats)
{
    private readonly ImmutableArray<SpecKey> _keys = SpecKeys.For(formats);

    /// <summary>Reads and checks a spec. Of a key that is given in several places, only the one that counts is looked at.</summary>
    /// <exception cref="CrustException">
    /// <see cref="FailureKind.BadInput"/>: something given is wrong; it says what, where (file with line and column and key,
    /// variable or option) and what to do. <see cref="FailureKind.InputOutput"/>: the spec file can't be read.
    /// </exception>
    public BuildSpec Read(SpecSources sources)
    {
        var given = Gather(sources);

        // In the table's order, so that of several errors always the same one is told.
        var spec = _keys.Where(key => given.ContainsKey(key.Path)).Aggregate(new BuildSpec(), (spec, key) => key.Apply(spec, given[key.Path]));
        var origins = given.ToImmutableDictionary(pair => pair.Key, pair => pair.Value.Where);
        var files = FilesOf(sources, given).Concat(spec.Layers.SelectMany(layer => layer.Paths)).Distinct().ToList();
        spec = SpecRules.Complete(spec with { IsInstaller = sources.ForInstaller, Origins = origins, InputFiles = files.Count > 0 ? [.. files] : [] });
        if (spec.Seed.Substitute)
            spec = spec with { Seed = spec.Seed with { Variables = sources.Environment } };
        if (spec.Installer.Build is { } build)
            spec = WithBuilt(spec, build, sources);
        SpecRules.Check(spec);
        return spec;
    }

    // Variables and options are about the disk: the installer's own spec says all about it, but for the architecture, which is that of the machine that boots it.
    private BuildSpec WithBuilt(BuildSpec spec, string path, SpecSources sources)
    {
        InstallerRules.CheckBuild(spec);
        var built = Read(new SpecSources { File = path, ForInstaller = true, CurrentFolder = Path.GetDirectoryName(path)! });
        if (built.Origins.ContainsKey("machine.arch") && built.Machine.Arch != spec.Machine.Arch)
            throw new CrustException(FailureKind.BadInput, $"The installer is for {built.Machine.Arch.LowerName()}, and the machine is {spec.Machine.Arch.LowerName()}",
                $"{built.WhereIs("machine.arch")}; {spec.WhereIs("machine.arch")}", "set both to the same, or leave out the installer's");
        built = built with
        {
            Machine = built.Machine with { Arch = spec.Machine.Arch },
            Seed = built.Seed.Substitute ? built.Seed with { Variables = sources.Environment } : built.Seed,
        };
        return spec with { Installer = spec.Installer with { Built = built }, InputFiles = [.. spec.InputFiles.Union(built.InputFiles)] };
    }

    private IEnumerable<string> FilesOf(SpecSources sources, ImmutableDictionary<string, GivenValue> given) =>
        (sources.File is null ? [] : new[] { Path.GetFullPath(SpecFile.PathOf(sources.File), sources.CurrentFolder) }).Concat(
            from key in _keys
            where given.ContainsKey(key.Path)
            let value = given[key.Path]
            from item in value.Items
            let at = key.PathAt(item.Text)
            where at >= 0 && at < item.Text.Length
            select Path.GetFullPath(item.Text[at..], value.BaseFolder));

    /// <summary>What counts of all that is given, by key, not yet understood.</summary>
    /// <exception cref="CrustException">As above, as far as the spec file itself is wrong.</exception>
    internal ImmutableDictionary<string, GivenValue> Gather(SpecSources sources) =>
        (sources.File is null ? ImmutableDictionary<string, GivenValue>.Empty : new SpecFile(_keys).Read(sources.File, sources.CurrentFolder))
            .SetItems(sources.Given.Where(pair => !pair.Value.IsEmpty)).SetItems(FromEnvironment(sources)).SetItems(FromOptions(sources));

    private IEnumerable<KeyValuePair<string, GivenValue>> FromEnvironment(SpecSources sources) =>
        from key in _keys
        where key.Variable is not null
        let text = sources.Environment.GetValueOrDefault(key.Variable!, "")
        where text.Length > 0
        let item = new GivenItem(text, $"environment variable {key.Variable}")
        select KeyValuePair.Create(key.Path, new GivenValue { Items = [item], Where = item.Where, BaseFolder = sources.CurrentFolder });

    private IEnumerable<KeyValuePair<string, GivenValue>> FromOptions(SpecSources sources) =>
        from option in sources.Options
        let key = _keys.FirstOrDefault(key => key.Path == option.Key && key.Option is not null)
            ?? throw new ArgumentException($"No option sets '{option.Key}'.", nameof(sources))
        let place = $"option {key.Option}"
        let value = new GivenValue
        {
            Items = [.. option.Value.Select(text => new GivenItem(text, place))],
            Where = place,
            BaseFolder = sources.CurrentFolder,
        }
        where !value.IsEmpty
        select KeyValuePair.Create(key.Path, value);
}
