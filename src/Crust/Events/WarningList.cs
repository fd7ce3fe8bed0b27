using System.Collections.Immutable;

namespace Crust.Events;

/// <summary>Warnings, each once, and of each source only so many: a guest may warn without end, and nobody reads a thousand.</summary>
internal sealed class WarningList
{
    internal const int MostOfOne = 200;

    private readonly HashSet<string> _known = [];
    private readonly List<string> _told = [];
    private readonly Dictionary<string, (int Told, int More)> _sources = [];

    /// <summary>All that are remembered, and for each source of more, how many these are.</summary>
    public ImmutableArray<string> All =>
        [.. _told, .. _sources.Where(source => source.Value.More > 0).Select(source => $"… and {source.Value.More} more{(source.Key.Length > 0 ? $" from {source.Key}" : "")}")];

    /// <returns>What is to be told; null for nothing.</returns>
    public string? Add(string message, string? source)
    {
        source ??= "";
        var (told, more) = _sources.GetValueOrDefault(source);
        if (_known.Contains(message))
        {
            // Crust itself may find the same twice; a guest that repeats itself is counted.
            _sources[source] = (told, source.Length > 0 ? more + 1 : more);
            return null;
        }

        if (told == MostOfOne)
        {
            _sources[source] = (told, more + 1);
            return _known.Add($"{source} has more") ? $"{(source.Length > 0 ? $"{source} warns of more" : "there are more warnings")}; from now on these are only counted" : null;
        }

        _sources[source] = (told + 1, more);
        _known.Add(message);
        _told.Add(message);
        return message;
    }
}
