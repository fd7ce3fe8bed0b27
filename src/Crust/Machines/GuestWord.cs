using System.Text.Json;

namespace Crust.Machines;

/// <summary>
/// What one of Crust's own guests says about itself over the virtio-serial port, one JSON object a line. A vendor's
/// installer says nothing, which is no failure; a guest that said hello has to say that it is done.
/// </summary>
internal abstract record GuestWord
{
    private GuestWord()
    {
    }

    /// <summary>It waits for the host to name its job. `{"ready":1}`.</summary>
    public sealed record Ready : GuestWord;

    /// <summary>A job began. `{"hello":"install"}`.</summary>
    public sealed record Hello(string Job) : GuestWord;

    /// <summary>A job went on; the fraction is between 0 and 1. `{"progress":0.4,"detail":"…"}`.</summary>
    public sealed record Progress(double Fraction, string Detail) : GuestWord;

    /// <summary>Something worth knowing. `{"warning":"…"}`.</summary>
    public sealed record Warning(string Message) : GuestWord;

    /// <summary>A line that a program has printed which the job runs. `{"output":"…"}`.</summary>
    public sealed record Output(string Line) : GuestWord;

    /// <summary>The job failed. `{"failed":"…"}`.</summary>
    public sealed record Failed(string Message) : GuestWord;

    /// <summary>The job is done. `{"done":"…"}`.</summary>
    public sealed record Done(string Message) : GuestWord;

    /// <summary>
    /// Something that a job has found: its kind, a number that the job gave to where that was, and the bytes as they are. `{"found":"hostname","at":"3.1","data":"…"}`,
    /// in base64. Their text is nothing for a log: nobody knows what is in it.
    /// </summary>
    public sealed record Found(string Kind, string At, ReadOnlyMemory<byte> Data) : GuestWord
    {
        /// <inheritdoc/>
        public override string ToString() => $"Found {{ {Kind} at {At}, {Data.Length} bytes }}";
    }

    /// <summary>Reads one line; null for anything that isn't a word. A guest is never trusted to speak well.</summary>
    public static GuestWord? Parse(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return Text(root, "hello") is { } job ? new Hello(job)
                : Text(root, "failed") is { } failed ? new Failed(failed)
                : Text(root, "done") is { } done ? new Done(done)
                : Text(root, "output") is { } output ? new Output(output)
                : Text(root, "warning") is { } warning ? new Warning(warning)
                : root.TryGetProperty("ready", out _) ? new Ready()
                : Text(root, "found") is { } kind && root.TryGetProperty("data", out var data) && data.TryGetBytesFromBase64(out var bytes) ? new Found(kind, Text(root, "at") ?? "", bytes)
                : root.TryGetProperty("progress", out var fraction) && fraction.TryGetDouble(out var value)
                    ? new Progress(Math.Clamp(value, 0, 1), Text(root, "detail") ?? "")
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String && value.GetString() is { } text ? text : null;
}
