using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Crust.Machines.Qmp;
using Crust.Storage;

namespace Crust.Machines;

/// <summary>Saves machines to files and restores them, by QEMU's own migration (docs/devel/migration in QEMU's sources).</summary>
internal static class MachineState
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    // QEMU's default keeps to 128 MiB/s, for networks.
    private const long Bandwidth = 16L << 30;

    /// <summary>Stops a machine and saves it.</summary>
    /// <exception cref="QmpException">QEMU can't, or has gone.</exception>
    /// <exception cref="IOException">The file can't be written.</exception>
    public static async Task<SavedMachine> SaveAsync(QmpClient qmp, MachinePorts ports, string file, CancellationToken cancellation)
    {
        var type = await MachineTypeAsync(qmp, cancellation);
        await qmp.ExecuteAsync("stop", null, cancellation);
        await qmp.ExecuteAsync("migrate-set-parameters", new JsonObject { ["max-bandwidth"] = Bandwidth }, cancellation);
        // Its sandbox lets QEMU start no program and open no other file, but connect to a socket in the machine's folder.
        using var endpoint = new MachinePorts.Endpoint(Path.Combine(ports.Folder, "state"));
        var accepted = endpoint.AcceptAsync(cancellation);
        await qmp.ExecuteAsync("migrate", new JsonObject { ["uri"] = $"unix:{endpoint.Path}" }, cancellation);
        await using (var stream = await accepted)
        await using (var output = PrivateFile.Create(file))
        {
            await stream.CopyToAsync(output, 1 << 20, cancellation);
        }

        while (await StatusAsync(qmp, "query-migrate", cancellation) is not "completed" and var status)
        {
            if (status is "failed" or "cancelled" or "cancelling")
            {
                throw new QmpException($"QEMU says that saving the machine has {status}");
            }

            await Task.Delay(PollInterval, cancellation);
        }

        return new SavedMachine(file, type, await DigestAsync(file, cancellation));
    }

    /// <summary>Waits until a machine that was started to be restored has its state, checks that the state was whole, and plugs its disks in. It doesn't run yet.</summary>
    /// <exception cref="QmpException">QEMU can't take the state, or has gone; or the state isn't what was saved.</exception>
    public static async Task LoadAsync(QmpClient qmp, SavedMachine saved, int disks, CancellationToken cancellation)
    {
        var digest = DigestAsync(saved.State, cancellation);
        while (await StatusAsync(qmp, "query-status", cancellation) is "inmigrate")
        {
            await Task.Delay(PollInterval, cancellation);
        }

        if (await digest != saved.Digest)
        {
            throw new QmpException($"the saved machine was changed after it was saved: {saved.State}");
        }

        for (var index = 0; index < disks; index++)
        {
            await qmp.ExecuteAsync("device_add", DriveArguments.PlugIn(index), cancellation);
        }
    }

    private static async Task<string?> StatusAsync(QmpClient qmp, string command, CancellationToken cancellation) =>
        (await qmp.ExecuteAsync(command, null, cancellation)).TryGetProperty("status", out var status) ? status.GetString() : null;

    private static async Task<string> MachineTypeAsync(QmpClient qmp, CancellationToken cancellation)
    {
        var types = await qmp.ExecuteAsync("query-machines", null, cancellation);
        return types.EnumerateArray().Where(type => type.TryGetProperty("alias", out var alias) && alias.GetString() == "q35").Select(type => type.GetProperty("name").GetString()).FirstOrDefault()
            ?? throw new QmpException("QEMU names no versioned machine type for q35");
    }

    private static async Task<string> DigestAsync(string file, CancellationToken cancellation)
    {
        await using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation));
    }
}
