using System.Collections.Immutable;
using YamlDotNet.Core;

namespace Crust.Seeds.Documents;

/// <summary>Makes trees of configuration, and finds things in them. No function here changes a node that it is given.</summary>
internal static class ConfigTree
{
    /// <summary>Text as a quoted scalar: no reader takes it for a number, a boolean or a date.</summary>
    public static ConfigScalar Text(string value, Place place) => new(value, ScalarStyle.DoubleQuoted, place);

    public static ConfigScalar SecretText(string value, Place place) => new(value, ScalarStyle.DoubleQuoted, place) { IsSecret = true };

    /// <summary>Text of several lines.</summary>
    public static ConfigScalar Block(string value, Place place) => new(value, ScalarStyle.Literal, place);

    /// <summary>`true` or `false`.</summary>
    public static ConfigScalar Flag(bool value, Place place) => new(value ? "true" : "false", ScalarStyle.Plain, place);

    /// <summary>A mapping with plain keys; entries without a value are left out.</summary>
    public static ConfigMap Map(params IEnumerable<(string Key, ConfigNode? Value)> entries) =>
        Map(entries.Select(entry => ((ConfigNode)new ConfigScalar(entry.Key, ScalarStyle.Plain, entry.Value?.Place ?? Place.Default), entry.Value)));

    /// <summary>A mapping whose keys are nodes; entries without a value are left out.</summary>
    public static ConfigMap Map(params IEnumerable<(ConfigNode Key, ConfigNode? Value)> entries)
    {
        ImmutableArray<ConfigEntry> given = [.. entries.Where(entry => entry.Value is not null).Select(entry => new ConfigEntry(entry.Key, entry.Value!))];
        return given.IsEmpty ? ConfigMap.Empty : new ConfigMap(given, given[0].Value.Place);
    }

    public static ConfigList List(params IEnumerable<ConfigNode> items)
    {
        ImmutableArray<ConfigNode> all = [.. items];
        return new ConfigList(all, all.IsEmpty ? Place.Default : all[0].Place);
    }

    /// <summary>What stands under a path of keys; null if nothing does.</summary>
    public static ConfigNode? Find(ConfigNode? root, params IEnumerable<string> path) =>
        path.Aggregate(root, (node, key) => (node as ConfigMap)?.Entries.FirstOrDefault(entry => entry.Name == key)?.Value);

    /// <summary>Whether a node says "true" as YAML 1.1 or 1.2 does.</summary>
    public static bool IsTrue(ConfigNode? node) => node is ConfigScalar { IsTrue: true };

    /// <summary>
    /// Every value of a document that isn't a mapping or a list with something in it, with its path as people write it: `users[0].name`.
    /// </summary>
    public static IEnumerable<(string Path, ConfigNode Value)> Leaves(ConfigNode root, string path = "") => root switch
    {
        ConfigMap { Entries.IsEmpty: false } map => map.Entries.SelectMany(entry => Leaves(entry.Value, Join(path, entry.Name ?? "?"))),
        ConfigList { Items.IsEmpty: false } list => list.Items.SelectMany((item, i) => Leaves(item, $"{path}[{i}]")),
        _ => [(path, root)],
    };

    /// <summary>The path of a key in a mapping that has a path itself.</summary>
    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}
