using System.Text.Json;
using Crust.Machines.Qmp;

namespace Crust.Machines;

/// <summary>Reads what QMP says into signals (QEMU's QMP reference manual: "run-state", "block-core").</summary>
internal static class MachineEvents
{
    /// <summary>The signal for an event; null for events that decide nothing.</summary>
    public static MachineSignal? Read(QmpEvent happened) => happened.Name switch
    {
        "SHUTDOWN" => new MachineSignal.Shutdown(Flag(happened.Data, "guest"), Text(happened.Data, "reason")),
        "RESET" when Flag(happened.Data, "guest") => new MachineSignal.Reset(happened.At),
        "GUEST_PANICKED" => new MachineSignal.Panicked(),
        // With werror=stop the machine stops where it is; 'report' and 'ignore' leave the error to the guest.
        "BLOCK_IO_ERROR" when Text(happened.Data, "action") == "stop" =>
            new MachineSignal.DiskError(Text(happened.Data, "reason"), Flag(happened.Data, "nospace")),
        _ => null,
    };

    /// <summary>The bytes that the guest has written to all its drives, from `query-blockstats`.</summary>
    public static long BytesWritten(JsonElement reply) => reply.ValueKind is not JsonValueKind.Array ? 0 : reply.EnumerateArray()
        .Sum(drive => drive.TryGetProperty("stats", out var stats) && stats.TryGetProperty("wr_bytes", out var bytes) ? bytes.GetInt64() : 0);

    private static bool Flag(JsonElement data, string name) =>
        data.ValueKind is JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True;

    private static string Text(JsonElement data, string name) =>
        data.ValueKind is JsonValueKind.Object && data.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
