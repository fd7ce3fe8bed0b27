using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Seeds.Secrets;
using YamlDotNet.Core;

namespace Crust.Seeds;

/// <summary>
/// What of a seed nobody may see: what came from a <see cref="Spec.Secret"/> or the environment, and what <see cref="TreeSecrets"/> and
/// <see cref="FileSecrets"/> know to be secret. The listing, the redactor, the manifest and the build key ask here.
/// </summary>
internal static class SeedSecrets
{
    /// <summary>Stands in a secret's place.</summary>
    public const string Mask = "********";

    // What a variable brings may be a word as short as any; it can't be told from others in a text then.
    private const int Shortest = 3;

    // Of a secret of several lines, what is as short as this is no secret by itself.
    private const int ShortestLine = 12;

    /// <summary>A document as others may see it; itself if there is nothing secret in it.</summary>
    public static string Masked(SeedDocument document) => !document.Parts.IsEmpty
        ? SeedDocument.Archive(document.Name, [.. document.Parts.Select(part => part with { Text = Masked(part) })]).Text
        : document.Tree is ConfigMap tree && CloudConfig.IsIn(document.Text)
        ? CloudConfig.ToText((ConfigMap)Masked(tree))
        : FoundSecret.Replace(document.Text, FoundIn(document), Mask);

    /// <summary>A tree as others may see it.</summary>
    public static ConfigNode Masked(ConfigNode tree) => TreeSecrets.Mask(tree, TreeSecrets.In(tree), secret => secret.IsWhole
        ? new ConfigScalar(Mask, ScalarStyle.DoubleQuoted, secret.Node.Place) { IsSecret = true }
        : new ConfigScalar(FoundSecret.Replace(secret.Node.Value, secret.Parts, Mask), secret.Node.Style, secret.Node.Place, secret.Node.Tag) { IsSecret = true });

    /// <summary>Where there are secrets in a document: `stylus.site.edgeHostToken`, `ks.cfg: rootpw`. Each once.</summary>
    public static IEnumerable<string> PathsIn(SeedDocument document) => !document.Parts.IsEmpty
        ? document.Parts.SelectMany(PathsIn).Distinct()
        : document.Tree is { } tree
        ? TreeSecrets.In(tree).Select(secret => secret.Path).Distinct()
        : FoundIn(document).Select(found => $"{document.Name}: {found.Name}").Distinct();

    /// <summary>The secrets in a document, in all forms in which they may be seen.</summary>
    public static IEnumerable<string> In(SeedDocument document) => Spread(!document.Parts.IsEmpty
        ? document.Parts.SelectMany(In)
        : document.Tree is { } tree
        ? TreeSecrets.In(tree).SelectMany(secret => secret.Values)
        : [.. document.Secrets, .. FoundIn(document).SelectMany(found => found.ValuesIn(document.Text))]);

    /// <summary>Secrets with each line of those that have several: a terminal shows lines.</summary>
    public static IEnumerable<string> Spread(IEnumerable<string> secrets) => secrets.SelectMany(secret => secret.Contains('\n')
        ? [secret, .. secret.Split('\n').Select(line => line.Trim()).Where(line => line.Length >= ShortestLine && !line.StartsWith("-----", StringComparison.Ordinal))]
        : new[] { secret }).Where(secret => secret.Length > 0);

    private static ImmutableArray<FoundSecret> FoundIn(SeedDocument document) => FoundSecret.Joined(
    [
        .. FileSecrets.In(document.Name, document.Text),
        .. document.Secrets.Where(secret => secret.Length >= Shortest).SelectMany(secret => PlacesOf(secret, document.Text)),
    ]);

    private static IEnumerable<FoundSecret> PlacesOf(string secret, string text)
    {
        for (var at = text.IndexOf(secret, StringComparison.Ordinal); at >= 0; at = text.IndexOf(secret, at + secret.Length, StringComparison.Ordinal))
            yield return new FoundSecret(at, secret.Length, "a secret of the spec's or the environment's");
    }
}
