using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Crust.Machines;
using Crust.Machines.Qmp;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog;

namespace Crust.Appliance;

/// <summary>
/// The appliance as a saved machine: booted once, saved when its drivers are loaded and it waits for a job, and restored for each job in well under a second.
/// Saved states are in the cache under a key over all that they depend on. Whatever is odd about one is logged, and the appliance is booted.
/// </summary>
/// <param name="launcher">Starts the machine that is saved.</param>
/// <param name="tools">Finds QEMU, whose program is part of the key.</param>
/// <param name="cache">Keeps what was saved.</param>
/// <param name="start">What the user wants.</param>
/// <param name="time">The clock by which unused states are removed.</param>
/// <param name="log">Gets what went wrong.</param>
internal sealed class WarmAppliance(MachineLauncher launcher, ToolBox tools, BuildCache cache, ApplianceStart start, TimeProvider time, ILogger log)
{
    private const string Kind = "warm";
    private const string StateName = "state";
    private const string RecordName = "machine.json";

    // Changes whenever the same machine would be saved otherwise.
    private const string Version = "1";

    private static readonly TimeSpan BootDeadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan UnusedFor = TimeSpan.FromDays(14);

    private bool _hasFailed;

    /// <summary>The saved machine for an appliance, after booting and saving it if there is none; null where the appliance is to be booted.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<SavedMachine?> OpenAsync(ApplianceImage appliance, Accelerator accelerator, CancellationToken cancellation)
    {
        if (!IsWanted(appliance.Arch, accelerator) || _hasFailed)
        {
            return null;
        }

        try
        {
            using var entry = await cache.OpenAsync(Kind, KeyOf(appliance, accelerator), null, cancellation);
            return entry.Found is { } found ? Read(found) : await SaveAsync(entry, appliance, accelerator, cancellation);
        }
        catch (Exception e) when (e is CrustException or QmpException or IOException or UnauthorizedAccessException or JsonException)
        {
            GiveUp(appliance, accelerator, e);
            return null;
        }
    }

    /// <summary>Forgets a saved machine that couldn't be restored, and restores none any more in this process: the next one saves it anew.</summary>
    public void GiveUp(ApplianceImage appliance, Accelerator accelerator, Exception why)
    {
        log.Warning("The appliance is booted, since it can't be restored: {Reason}", why.Message);
        _hasFailed = true;
        try
        {
            cache.Remove(Kind, KeyOf(appliance, accelerator));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Warning("The saved appliance can't be removed: {Reason}", e.Message);
        }
    }

    // Under KVM a state is bound to the host's processor and its clocks, and a boot takes little over a second. arm64 machines have no generation ID
    // in today's QEMU, and without one nothing makes a restored guest's random numbers its own.
    private bool IsWanted(Arch arch, Accelerator accelerator) => start switch
    {
        ApplianceStart.Boot => false,
        ApplianceStart.Warm => arch is Arch.Amd64,
        _ => arch is Arch.Amd64 && accelerator is Accelerator.Tcg,
    };

    private async Task<SavedMachine> SaveAsync(CacheEntry entry, ApplianceImage appliance, Accelerator accelerator, CancellationToken cancellation)
    {
        var serialLog = Path.Combine(entry.Draft, "serial.log");
        SavedMachine saved;
        await using (var machine = await launcher.StartAsync(ApplianceMachine.ToSave(appliance, accelerator), serialLog, cancellation))
        {
            var facts = await machine.WaitAsync(facts => facts.IsReady, BootDeadline, cancellation);
            if (!facts.IsReady)
            {
                var (outcome, _) = await machine.EndAsync(OnReboot.Fail);
                throw MachineFailure.Of(outcome, "the appliance that was to be saved", new RunEvidence(machine.SerialTail, serialLog));
            }

            saved = await machine.SaveAsync(Path.Combine(entry.Draft, StateName), cancellation);
        }

        File.Delete(serialLog);
        WholeFile.Replace(Path.Combine(entry.Draft, RecordName), JsonSerializer.SerializeToUtf8Bytes(new WarmRecord(saved.MachineType, saved.Digest), WarmJson.Default.WarmRecord));
        RemoveUnused();
        log.Information("The appliance was saved: {Size} MiB", new FileInfo(saved.State).Length >> 20);
        return saved with { State = Path.Combine(entry.Keep(), StateName) };
    }

    private SavedMachine Read(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        var record = JsonSerializer.Deserialize(File.ReadAllBytes(path), WarmJson.Default.WarmRecord) ?? throw new JsonException($"{path}: null");
        File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
        return new SavedMachine(Path.Combine(folder, StateName), record.MachineType, record.Digest);
    }

    // Each has some 200 MB, and is of no use once QEMU or the appliance is another.
    private void RemoveUnused()
    {
        var oldest = time.GetUtcNow().UtcDateTime - UnusedFor;
        foreach (var record in Directory.EnumerateDirectories(Path.Combine(cache.Root, Kind)).Select(folder => Path.Combine(folder, RecordName)).Where(File.Exists).Where(path => File.GetLastWriteTimeUtc(path) < oldest))
        {
            cache.Remove(Kind, Path.GetFileName(Path.GetDirectoryName(record)!));
        }
    }

    /// <summary>What a saved machine depends on: QEMU's program, the machine with its accelerator, processor, memory and devices, what it has booted, and under KVM this host's processor.</summary>
    internal string KeyOf(ApplianceImage appliance, Accelerator accelerator)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var program = File.OpenRead(tools.Require(QemuArguments.ProgramFor(appliance.Arch))))
        {
            hash.AppendData(SHA256.HashData(program));
        }

        var machine = ApplianceMachine.ToSave(appliance, accelerator) with { DirectBoot = null };
        var facts = new[] { Version, appliance.Key, RuntimeInformation.OSArchitecture.ToString(), accelerator is Accelerator.Kvm ? HostProcessor() : "" }
            .Concat(QemuArguments.For(machine, new QemuEndpoints("", "", "", null)))
            .Concat(ApplianceMachine.KernelArguments(appliance, ApplianceMachine.Save));
        hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(facts.ToImmutableArray(), WarmJson.Default.ImmutableArrayString));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Model, microcode and flags of the first processor, and the kernel, which decides what KVM shows of them.
    private static string HostProcessor() => $"{Environment.OSVersion.Version} {string.Join('\n', File.ReadLines("/proc/cpuinfo").TakeWhile(line => line.Length > 0)
        .Where(line => line.Split('\t', ':')[0] is "vendor_id" or "cpu family" or "model" or "stepping" or "microcode" or "flags"))}";
}

/// <summary>What lies beside a saved state.</summary>
internal sealed record WarmRecord(string MachineType, string Digest);

[JsonSourceGenerationOptions(RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WarmRecord))]
[JsonSerializable(typeof(ImmutableArray<string>))]
internal sealed partial class WarmJson : JsonSerializerContext;
