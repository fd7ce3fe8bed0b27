using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Embedding;

/// <summary>Finds secrets in the files that a seed is made of.</summary>
internal static partial class FileSecrets
{
    // Private keys begin their file; what rides along may be large.
    private const int Looked = 64 << 10;

    /// <summary>Where secrets stand, each once: `user-data.yaml: stylus.site.edgeHostToken`.</summary>
    public static ImmutableArray<string> In(SeedSpec seed)
    {
        // A variable's value isn't in the file, and needn't be known yet.
        var asWritten = SeedFiles.Read(seed with { Substitute = false });
        return
        [
            .. asWritten.UserData.SelectMany(document => InDocument(document, seed)),
            .. asWritten.ExtraFiles.Where(file => HoldsPrivateKey(file.Path)).Select(file => $"{file.Path}: a private key"),
        ];
    }

    private static IEnumerable<string> InDocument(UserDocument document, SeedSpec seed)
    {
        if (document.Config is { } config)
        {
            return ConfigTree.Leaves(SeedSecrets.Masked(config)).Zip(ConfigTree.Leaves(config))
                .Where(pair => pair.First.Value is ConfigScalar { IsSecret: true } && !(seed.Substitute && pair.Second.Value is ConfigScalar { Value: var text } && Variable().IsMatch(text)))
                .Select(pair => $"{document.Path}: {pair.First.Path}");
        }

        var text = seed.Substitute ? Variable().Replace(document.Text, "") : document.Text;
        return SeedSecrets.PathsIn(new SeedDocument(document.Path, text), seed);
    }

    private static bool HoldsPrivateKey(string path)
    {
        using var file = UserFile.Open(path, path, "seed's");
        var start = new byte[Math.Min(Looked, file.Length)];
        file.ReadExactly(start);
        return start.AsSpan().IndexOf("PRIVATE KEY-----"u8) >= 0;
    }

    // As `Substitution` reads them.
    [GeneratedRegex(@"\$\{[A-Za-z_][A-Za-z0-9_]*\}")]
    private static partial Regex Variable();
}
