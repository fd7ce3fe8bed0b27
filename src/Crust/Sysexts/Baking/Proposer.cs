using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;

namespace Crust.Sysexts.Baking;

/// <summary>
/// Proposes upstream's newer versions: asks for them, takes their sums from upstream's own lists, whose signatures are checked, and rewrites what pins them. Nothing is downloaded but lists,
/// and nothing built: what comes of it is for people to look at.
/// </summary>
internal sealed partial class Proposer(RecipeSources sources)
{
    private const int AtOnce = 4;

    /// <summary>Finds out what would change. Nothing is written.</summary>
    /// <exception cref="CrustException">A recipe that is named isn't there, or isn't used.</exception>
    public async Task<ProposedChanges> FindAsync(ProposalRequest request, CancellationToken cancellation)
    {
        var (proposals, skipped, failed) = (new ConcurrentQueue<Proposal>(), new ConcurrentQueue<(string, string)>(), new ConcurrentQueue<(string, CrustException)>());
        await Parallel.ForEachAsync(NamesOf(request), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (name, token) =>
        {
            try
            {
                foreach (var proposal in await AskAsync(request, name, why => skipped.Enqueue((name, why)), token))
                {
                    proposals.Enqueue(proposal);
                }
            }
            catch (CrustException e)
            {
                failed.Enqueue((name, e));
            }
        });
        ImmutableArray<Proposal> found = [.. proposals.OrderBy(one => one.Recipe, StringComparer.Ordinal).ThenByDescending(one => one.To, VersionOrder.Instance)];
        return new ProposedChanges(Changes(request, found), found, [.. skipped.OrderBy(one => one.Item1, StringComparer.Ordinal)], [.. failed.OrderBy(one => one.Item1, StringComparer.Ordinal)]);
    }

    private static ImmutableArray<string> NamesOf(ProposalRequest request)
    {
        if (request.Names.Length > 0)
        {
            return [.. request.Names.Distinct().Select(name => request.Book.Get(name).Name)];
        }

        ImmutableArray<string> used = request.Versions is { } versions ? [.. versions.Entries.Where(entry => entry.Follow is not FollowedVersions.None).Select(entry => entry.Recipe).Distinct()]
            : [.. request.Locked.Entries.Select(entry => entry.Recipe).Concat(request.Book.OwnNames).Distinct()];
        return used.Length > 0 || request.Versions is not null ? used : throw new CrustException(FailureKind.BadInput, "No recipe is named, and none is listed, locked or your own", VersionsFile.DefaultName,
            "name recipes, or list them in a file: crust recipe update --versions FILE");
    }

    private async Task<IEnumerable<Proposal>> AskAsync(ProposalRequest request, string name, Action<string> skip, CancellationToken cancellation)
    {
        var recipe = request.Book.Get(name);
        if (!UpstreamReleases.Has(recipe))
        {
            skip($"the recipe doesn't say where upstream lists its versions (releases: in {recipe.Path})");
            return [];
        }

        var there = await sources.ReleasesOfAsync(recipe, request.Mirrors, cancellation);
        var proposals = new List<Proposal>();
        foreach (var (from, to) in Newer(request, name, there, skip).Distinct())
        {
            var picks = new RecipePicks(request.Book, request.Locked).WithDependents(name, to);
            var pick = picks[0];
            if (picks.SelectMany(one => one.Recipe.Downloads.Where(download => download is { Sums: null, Package: null } && !one.Version.Sums.Keys.Any(key => key.Download == download.Name))).FirstOrDefault() is { } unlisted)
            {
                skip($"{to} is out, and upstream publishes no sums of {unlisted.Name}: lock it by hand (crust recipe lock {name}@{to}), and write it into the list");
                continue;
            }

            var locked = await sources.LockAsync(request.Book, request.Locked, picks, [], request.Mirrors, cancellation);
            proposals.Add(new Proposal(pick, from, [.. locked.Entries.Where(entry => picks.Any(one => (one.Recipe.Name, one.Version.Version) == (entry.Recipe, entry.Version)))]));
        }

        return proposals;
    }

    // Which version takes the place of which.
    private static List<(string From, string To)> Newer(ProposalRequest request, string name, ImmutableArray<string> there, Action<string> skip)
    {
        var entries = request.Versions?.Entries.Where(entry => entry.Recipe == name).ToList() ?? [];
        if (entries.Count == 0)
        {
            var from = new RecipePicks(request.Book, request.Locked).Of(name, null).Version.Version;
            return IsNewer(there[0], from) ? [(from, there[0])] : [];
        }

        var pairs = new List<(string From, string To)>();
        foreach (var entry in entries.Where(entry => entry.Follow is not FollowedVersions.None))
        {
            var newest = entry.Versions.Max(VersionOrder.Instance)!;
            foreach (var from in entry.Follow is FollowedVersions.Minor ? entry.Versions : [newest])
            {
                var to = entry.Follow is FollowedVersions.Minor ? there.FirstOrDefault(version => MinorOf(version) == MinorOf(from)) : there[0];
                if (to is not null && IsNewer(to, from) && !entry.Versions.Contains(to))
                {
                    pairs.Add((from, to));
                }
            }

            if (entry.Follow is FollowedVersions.Minor && IsNewer(there[0], newest) && MinorOf(there[0]) != MinorOf(newest))
            {
                skip($"{there[0]} is out, of a minor version that isn't listed: list it where you want it");
            }
        }

        return pairs;
    }

    private static bool IsNewer(string version, string than) => VersionOrder.Instance.Compare(version, than) > 0;

    private static string MinorOf(string version) => MinorForm().Match(version) is { Success: true } match ? match.Value : version;

    private static ImmutableArray<(string Path, string Text)> Changes(ProposalRequest request, ImmutableArray<Proposal> proposals)
    {
        if (proposals.IsEmpty)
        {
            return [];
        }

        var files = ImmutableArray.CreateBuilder<(string, string)>();
        var stays = request.Versions;
        if (request.Versions is { } versions)
        {
            var text = UserFile.Read(versions.Path, versions.Path, "versions");
            var changed = YamlSpan.Replace(text, from entry in versions.Entries
                                                 where entry.Follow is not FollowedVersions.None
                                                 from i in Enumerable.Range(0, entry.Versions.Length)
                                                 let proposal = proposals.FirstOrDefault(one => one.Recipe == entry.Recipe && one.From == entry.Versions[i]
                                                     && (entry.Follow is FollowedVersions.Newest || MinorOf(one.To) == MinorOf(one.From)))
                                                 where proposal is not null && !entry.Versions.Contains(proposal.To)
                                                 select (entry.Places[i], proposal.To));
            stays = VersionsReader.Parse(changed, versions.Path);
            if (changed != text)
            {
                files.Add((versions.Path, changed));
            }
        }

        foreach (var own in proposals.Where(one => request.Book.IsOwn(one.Pick.Recipe) && one.Pick.Recipe.Versions.All(known => known.Version != one.To)).GroupBy(one => one.Pick.Recipe.Path))
        {
            var text = UserFile.Read(own.Key, own.Key, "recipe");
            foreach (var proposal in own.DistinctBy(one => one.To))
            {
                text = RecipeEdit.Insert(text, proposal.Pick.Recipe, proposal.Pick.Version, [.. proposal.Entries.Where(entry => (entry.Recipe, entry.Version) == (proposal.Recipe, proposal.To) && entry.From != LockFile.FromApt)]);
            }

            // What was written is what is read.
            _ = RecipeReader.Read(text, own.Key);
            files.Add((own.Key, text));
        }

        // What a recipe of the user's own pins needs no lock, unless it has been locked before or is a package, of which apt's lists say where it is.
        ImmutableArray<Proposal> toLock = [.. proposals.Where(one => !request.Book.IsOwn(one.Pick.Recipe) || request.Locked.VersionsOf(one.Recipe).Length > 0 || one.Entries.Any(entry => entry.From == LockFile.FromApt))];
        var locked = toLock.Aggregate(request.Locked, (file, proposal) => file.With(proposal.Entries));
        foreach (var proposal in toLock.Where(one => stays?.Entries.Any(entry => entry.Recipe == one.Recipe && entry.Versions.Contains(one.From)) is not true))
        {
            locked = locked.Without(proposal.Recipe, proposal.From);
        }

        // First what the others need: a run that is ended in between is made good by the next one.
        if (toLock.Length > 0)
        {
            files.Insert(0, (locked.Path, locked.ToText()));
        }

        return files.ToImmutable();
    }

    [GeneratedRegex(@"\Av?[0-9]+\.[0-9]+")]
    private static partial Regex MinorForm();
}
