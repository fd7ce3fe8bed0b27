using System.Collections.Immutable;
using System.Text;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Crust.Sysexts.Baking;

/// <summary>Writes a version with its sums into a recipe's text; all else stays as it is, comments, too.</summary>
internal static class RecipeEdit
{
    /// <param name="text">The recipe's text.</param>
    /// <param name="entries">The version's files with their sums.</param>
    /// <exception cref="CrustException">The section isn't written in lines of its own.</exception>
    public static string Insert(string text, Recipe recipe, RecipeVersion version, ImmutableArray<LockEntry> entries)
    {
        var section = ((YamlMappingNode)YamlText.Parse(text, recipe.Path)!).Children.First(pair => pair.Key is YamlScalarNode { Value: "versions" }).Value as YamlMappingNode;
        if (section is not { Style: MappingStyle.Block })
        {
            throw new CrustException(FailureKind.BadInput, "The recipe's versions stand in braces, and a new one takes lines of its own", recipe.Path, "write each version on a line of its own below versions:");
        }

        // The newest stands first. One of an older minor version goes where it belongs.
        var keys = section.Children.Keys.Cast<YamlScalarNode>().ToList();
        var next = keys.FirstOrDefault(key => VersionOrder.Instance.Compare(key.Value, version.Version) < 0) ?? keys[0];
        var lines = text.Split('\n').ToList();
        var at = (int)next.Start.Line - 1;
        // What is remarked above a version belongs to it.
        while (at > 0 && lines[at - 1].TrimStart().StartsWith('#'))
        {
            at--;
        }

        var indent = new string(' ', (int)next.Start.Column - 1);
        var end = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var added = new StringBuilder($"{indent}'{version.Version}':{end}");
        if (version.With.Count > 0)
        {
            added.Append($"{indent}  with: {{ {string.Join(", ", version.With.OrderBy(other => other.Key, StringComparer.Ordinal).Select(other => $"{other.Key}: '{other.Value}'"))} }}{end}");
        }

        foreach (var arch in entries.GroupBy(entry => entry.Arch).OrderBy(group => group.Key))
        {
            added.Append($"{indent}  {arch.Key.LowerName()}:{end}");
            foreach (var entry in arch)
            {
                added.Append($"{indent}    {entry.Download}: {entry.Sha256} # {entry.From}{end}");
            }
        }

        return string.Concat(lines.Take(at).Select(line => line + "\n")) + added + string.Join('\n', lines.Skip(at));
    }
}
