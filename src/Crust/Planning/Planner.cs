using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crust.Formats;
using Crust.Registries;
using Crust.Seeds;
using Crust.Spec;

namespace Crust.Planning;

/// <param name="File">Its file, as it was given.</param>
internal sealed record SpecToPlan(string File, BuildSpec Spec);

/// <summary>Finds out which builds are due: those with an image that no registry has under its build key (`PublishedKey`). Nothing is downloaded but lists of checksums, nothing is built or booted.</summary>
/// <param name="writer">Knows what decides an image beside its disk.</param>
/// <param name="listTags">Lists a repository's tags; none for a repository that isn't there.</param>
internal sealed class Planner(SourceLibrary sources, ImageWriter writer, Func<string, PublishSpec, CancellationToken, Task<IReadOnlySet<string>>> listTags)
{
    // Registries limit how many requests they take at once.
    private const int RegistriesAtOnce = 4;

    /// <param name="specs">The specs, in the order in which they are reported.</param>
    /// <param name="since">The repository that is looked into, `registry/path`; null for where each spec publishes.</param>
    /// <exception cref="CrustException">A spec can't be built anywhere, or says nowhere where it is published; or a registry can't be asked.</exception>
    public async Task<BuildPlan> PlanAsync(IReadOnlyList<SpecToPlan> specs, string? since, CancellationToken cancellation)
    {
        await HashAsync(specs, cancellation);
        var wanted = new Wanted[specs.Count];
        var failed = new CrustException?[specs.Count];
        await Parallel.ForAsync(0, specs.Count, cancellation, async (i, ended) =>
        {
            try
            {
                wanted[i] = Identify(specs[i] with { Spec = await sources.PinAsync(specs[i].Spec, ended) }, since);
            }
            catch (CrustException e)
            {
                failed[i] = e;
            }
        });
        if (ErrorOf(specs.Zip(failed, (spec, error) => (spec.File, error)).Where(pair => pair.error is not null).Select(pair => (pair.File, pair.error!))) is { } error)
        {
            throw error;
        }

        var tags = new ConcurrentDictionary<string, IReadOnlySet<string>>(StringComparer.Ordinal);
        var repositories = wanted.SelectMany(build => build.Images.Select(image => (image.Repository, build.Spec.Spec.Publish))).DistinctBy(pair => pair.Repository);
        await Parallel.ForEachAsync(repositories, new ParallelOptions { MaxDegreeOfParallelism = RegistriesAtOnce, CancellationToken = cancellation },
            async (pair, ended) => tags[pair.Repository] = await listTags(pair.Repository, pair.Publish, ended));

        return new BuildPlan([.. wanted.Select(build => Due(build, tags)).OfType<PlannedBuild>()], specs.Count) { Blind = wanted.Count(build => build.Target.Keys is { IsShareable: false }) };
    }

    /// <summary>All that is wrong with several specs, in one; null if nothing is.</summary>
    public static CrustException? ErrorOf(IEnumerable<(string Spec, CrustException Error)> errors)
    {
        var all = errors.ToList();
        return all switch
        {
            [] => null,
            [var (_, only)] => only,
            _ => new CrustException(all[0].Error.Kind, $"{all.Count} specs can't be planned", string.Join(", ", all.Select(pair => pair.Spec)), "mend each as it says below", all[0].Error)
            {
                Detail = string.Join("\n", all.Select(pair => $"{pair.Error.What}\n  where: {pair.Error.Where}\n  to do: {pair.Error.Remedy}")),
            },
        };
    }

    // A file on this host is read as a whole once; its checksum is remembered.
    private async Task HashAsync(IReadOnlyList<SpecToPlan> specs, CancellationToken cancellation)
    {
        foreach (var spec in specs.Select(spec => spec.Spec).Where(spec => spec.SourceFile is { } file && !PathOrUrl.IsUrl(file.Source)).DistinctBy(spec => (spec.HasBase, spec.SourceFile!.Source)))
        {
            if (sources.Glance(spec).Origin is null)
            {
                await sources.GetAsync(spec, cancellation);
            }
        }
    }

    private Wanted Identify(SpecToPlan one, string? since)
    {
        var spec = one.Spec;
        var target = BuildTarget.Of(spec, SeedFiles.Read(spec.Seed), sources.Glance(spec), () => null);
        return new Wanted(one, target,
        [
            .. spec.Formats.Select(ImageFormats.Named).Select(format => new WantedImage(
                format.Name,
                since ?? PublishTarget.Of(spec, format, target.Name, target.Key).Index.Repository,
                target.Key is null ? null : PublishedKey.TagOf(target.Key, format.Name, writer.RecipeOf(format, spec)))),
        ]);
    }

    private static PlannedBuild? Due(Wanted build, ConcurrentDictionary<string, IReadOnlySet<string>> tags)
    {
        var due = build.Images.Where(image => image.Tag is null || !tags[image.Repository].Contains(image.Tag)).ToList();
        return due.Count == 0 ? null : new PlannedBuild(
            build.Spec.File,
            build.Target.Name,
            build.Spec.Spec.Machine.Arch.LowerName(),
            string.Join(',', due.Select(image => image.Format)),
            build.Target.Key,
            [.. due.Select(image => $"{image.Format}: {(image.Tag is null ? build.Target.Unknown : $"{image.Repository} has no image of this build ({image.Tag})")}")]);
    }

    private sealed record Wanted(SpecToPlan Spec, BuildTarget Target, ImmutableArray<WantedImage> Images);

    private sealed record WantedImage(string Format, string Repository, string? Tag);
}
