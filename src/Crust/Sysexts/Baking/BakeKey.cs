using System.Text;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using YamlDotNet.RepresentationModel;

namespace Crust.Sysexts.Baking;

/// <summary>What decides an extension's bytes, as one SHA-256: one that was built by the same key need not be built again. Known without a network.</summary>
internal static class BakeKey
{
    // Goes up when the same input makes other bytes.
    private const int Maker = 1;

    // What a recipe says that is in no extension. Which versions it pins isn't either: the sums of the one that is meant are in the key themselves.
    private static readonly string[] Besides = ["summary", "homepage", "license", "releases", "versions"];

    /// <param name="certificate">The certificate of a signed disk image; null for none.</param>
    /// <exception cref="CrustException">There is no such recipe, version, variant or architecture, or a sum isn't known.</exception>
    public static (string Key, IReadOnlyList<RecipePick> Picks) Of(BakeOrder order, RecipePicks recipes, LockFile locked, string? certificate)
    {
        var (plan, wish) = (order.Plan, order.Wish);
        var picks = recipes.WithDependents(wish.Name, wish.Version);
        var material = new StringBuilder($"crust bake {Maker}\n{plan.FileName}\n{ReleaseFile.Compose(plan)}{string.Join(' ', plan.ReleaseNames)}\n{plan.Profile} {plan.Format} {plan.Epoch}\n");
        material.Append(certificate is null ? "" : Checksum.OfText(UserFile.Read(certificate, certificate, "certificate")) + "\n");
        foreach (var pick in picks)
        {
            var variant = pick.VariantOf(pick == picks[0] ? wish.Variant : null);
            material.Append($"{pick.Label} {variant}\n");
            Append(material, YamlText.Parse(UserFile.Read(pick.Recipe.Path, pick.Recipe.Path, "recipe"), pick.Recipe.Path)!, Besides);
            foreach (var download in pick.DownloadsFor(wish.Arch, wish.Use, variant))
            {
                material.Append($"\n{download.Name} {RecipeSources.SumOf(pick, wish.Arch, download, locked)}");
            }

            material.Append('\n');
        }

        return (Checksum.OfText(material.ToString()), picks);
    }

    // Comments and the way in which it is written don't count.
    private static void Append(StringBuilder material, YamlNode node, string[] without)
    {
        switch (node)
        {
            case YamlMappingNode map:
                foreach (var (key, value) in map.Children.Where(pair => pair.Key is not YamlScalarNode { Value: var name } || !without.Contains(name)))
                {
                    material.Append('{');
                    Append(material, key, []);
                    Append(material, value, []);
                    material.Append('}');
                }

                break;
            case YamlSequenceNode list:
                foreach (var item in list.Children)
                {
                    material.Append('[');
                    Append(material, item, []);
                    material.Append(']');
                }

                break;
            case YamlScalarNode { Value: { } text }:
                material.Append($"{text.Length}:{text}");
                break;
        }
    }
}
