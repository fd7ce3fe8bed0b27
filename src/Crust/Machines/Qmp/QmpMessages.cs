using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Crust.Machines.Qmp;

/// <summary>An event that QEMU sent by itself.</summary>
/// <param name="Name">Its name, such as `SHUTDOWN` (QEMU's QMP reference manual lists them).</param>
/// <param name="Data">Its data; undefined where it has none.</param>
/// <param name="At">When it happened, by QEMU's clock.</param>
internal sealed record QmpEvent(string Name, JsonElement Data, DateTimeOffset At);

/// <summary>QEMU refused a command, or what came over QMP wasn't QMP.</summary>
internal sealed class QmpException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A command as it goes over the wire.</summary>
internal sealed record QmpCommand(
    [property: JsonPropertyName("execute")] string Execute,
    [property: JsonPropertyName("arguments"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonObject? Arguments,
    [property: JsonPropertyName("id")] long Id);

/// <summary>Anything that QEMU sends: a greeting, a reply, an error or an event; which one shows by what is set.</summary>
internal sealed record QmpMessage
{
    [JsonPropertyName("QMP")]
    public JsonElement? Greeting { get; init; }

    [JsonPropertyName("event")]
    public string? Event { get; init; }

    [JsonPropertyName("timestamp")]
    public QmpTimestamp Timestamp { get; init; }

    [JsonPropertyName("data")]
    public JsonElement Data { get; init; }

    [JsonPropertyName("return")]
    public JsonElement? Return { get; init; }

    [JsonPropertyName("error")]
    public QmpError? Error { get; init; }

    [JsonPropertyName("id")]
    public long? Id { get; init; }
}

/// <summary>QEMU's first word.</summary>
internal static class QmpGreeting
{
    /// <summary>The version in `{"version": {"qemu": {"major": 7, …}, "package": "…"}}`; empty if there is none.</summary>
    public static string VersionIn(JsonElement greeting)
    {
        if (greeting.ValueKind is not JsonValueKind.Object || !greeting.TryGetProperty("version", out var version)
            || version.ValueKind is not JsonValueKind.Object || !version.TryGetProperty("qemu", out var qemu) || qemu.ValueKind is not JsonValueKind.Object)
        {
            return "";
        }

        var number = string.Join('.', qemu.EnumerateObject().OrderBy(part => part.Name is "major" ? 0 : part.Name is "minor" ? 1 : 2).Select(part => part.Value.ToString()));
        return version.TryGetProperty("package", out var package) && package.ToString() is { Length: > 0 } named ? $"{number} ({named.Trim('(', ')', ' ')})" : number;
    }
}

/// <summary>When an event happened, since the Unix epoch.</summary>
internal readonly record struct QmpTimestamp(
    [property: JsonPropertyName("seconds")] long Seconds,
    [property: JsonPropertyName("microseconds")] long Microseconds)
{
    public DateTimeOffset Time => DateTimeOffset.UnixEpoch.AddTicks((Seconds * TimeSpan.TicksPerSecond) + (Microseconds * TimeSpan.TicksPerMicrosecond));
}

internal sealed record QmpError(
    [property: JsonPropertyName("class")] string Class,
    [property: JsonPropertyName("desc")] string Description);

[JsonSerializable(typeof(QmpCommand))]
[JsonSerializable(typeof(QmpMessage))]
internal sealed partial class QmpJson : JsonSerializerContext;
