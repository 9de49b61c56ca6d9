/*
 * A stand-in for libnvidia-ml.so.1 whose values come from a text file, read again whenever the file changes.
 *
 * The real pynvml loads it and makes real calls. The file is $FAKE_NVML or /etc/fakenvml/gpus.conf; each line is
 * "KEY VALUE". A device's own key is "3.util 97", one for all devices "*.util 97"; a later line wins over an earlier
 * one. "3.proc PID MIB" lines, any number of them, are the device's processes. "3.lost 1" makes every call on the
 * device answer NVML_ERROR_GPU_IS_LOST, "3.err.GetUtilizationRates 3" makes that one call answer the given code, and
 * "3.sleep_ms.GetUtilizationRates 5000" makes it hang that long.
 * Not here: MIG, events, GPM. A function that is not exported makes pynvml raise NVMLError_FunctionNotFound, as with
 * an old driver.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_LINES 8192
#define FIRST_HANDLE 0x1000

typedef int Return;
typedef void *Device;
typedef unsigned long long u64;

enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    GPU_IS_LOST = 15,
};

/* ---- the file of values ---------------------------------------------------------------------------------- */

static char keys[MAX_LINES][48];
static char values[MAX_LINES][160];
static int line_count;
static struct stat last_stat;
/* Recursive: calls that are about no device look values up without having taken it. Two threads in load() at once
 * would leave a mixture of two readings behind until the file changes again. */
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int initialized;

static void parse(FILE *file)
{
    char line[256];

    line_count = 0;
    while (line_count < MAX_LINES && fgets(line, sizeof line, file)) {
        char *space = strchr(line, ' ');
        if (line[0] == '#' || space == NULL)
            continue;
        *space++ = '\0';
        space[strcspn(space, "\n")] = '\0';
        snprintf(keys[line_count], sizeof keys[0], "%.47s", line);
        snprintf(values[line_count], sizeof values[0], "%.159s", space);
        line_count++;
    }
}

static void load(void)
{
    const char *path = getenv("FAKE_NVML");
    struct stat now;
    FILE *file;

    if (path == NULL)
        path = "/etc/fakenvml/gpus.conf";
    if (stat(path, &now) != 0) {
        line_count = 0;
        memset(&last_stat, 0, sizeof last_stat);
        return;
    }
    if (now.st_ino == last_stat.st_ino && now.st_mtim.tv_sec == last_stat.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == last_stat.st_mtim.tv_nsec)
        return;
    file = fopen(path, "r");
    if (file == NULL)
        return;
    last_stat = now;
    parse(file);
    fclose(file);
}

static const char *find(const char *key)
{
    for (int i = line_count - 1; i >= 0; i--)
        if (strcmp(keys[i], key) == 0)
            return values[i];
    return NULL;
}

/* The text of a key: of device `index`, else of all devices; of the whole host when index is negative. */
static const char *text(int index, const char *key, const char *fallback)
{
    const char *value;
    char name[64];

    pthread_mutex_lock(&mutex);
    load();
    if (index < 0) {
        value = find(key);
    } else {
        snprintf(name, sizeof name, "%d.%s", index, key);
        value = find(name);
        if (value == NULL) {
            snprintf(name, sizeof name, "*.%s", key);
            value = find(name);
        }
    }
    pthread_mutex_unlock(&mutex);
    return value ? value : fallback;
}

static u64 number(int index, const char *key, u64 fallback)
{
    const char *value = text(index, key, NULL);
    return value ? strtoull(value, NULL, 0) : fallback;
}

static u64 numbered(int index, const char *format, unsigned which, u64 fallback)
{
    char key[48];
    snprintf(key, sizeof key, format, which);
    return number(index, key, fallback);
}

static unsigned device_count(void)
{
    return (unsigned)number(-1, "count", 8);
}

static int index_of(Device device)
{
    return (int)((intptr_t)device - FIRST_HANDLE);
}

static Device handle_of(unsigned index)
{
    return (Device)(intptr_t)(FIRST_HANDLE + index);
}

static Return copy(char *out, unsigned size, const char *from)
{
    if (strlen(from) + 1 > size)
        return INSUFFICIENT_SIZE;
    strcpy(out, from);
    return SUCCESS;
}

/* What every call on a device does first. Takes the mutex when it answers SUCCESS. */
static Return enter(Device device, const char *function)
{
    int index = index_of(device);
    Return result = SUCCESS;
    char key[64];
    u64 pause;

    pthread_mutex_lock(&mutex);
    if (!initialized) {
        result = UNINITIALIZED;
    } else if (index < 0 || index >= (int)device_count()) {
        result = INVALID_ARGUMENT;
    } else {
        snprintf(key, sizeof key, "sleep_ms.%s", function);
        pause = number(index, key, number(index, "sleep_ms", 0));
        if (pause)
            nanosleep(&(struct timespec){(time_t)(pause / 1000), (long)(pause % 1000) * 1000000L}, NULL);
        snprintf(key, sizeof key, "err.%s", function);
        result = number(index, "lost", 0) ? GPU_IS_LOST : (Return)number(index, key, SUCCESS);
    }
    if (result != SUCCESS)
        pthread_mutex_unlock(&mutex);
    return result;
}

#define ENTER(function)                             \
    Return entered = enter(device, function);       \
    int index = index_of(device);                   \
    (void)index;                                    \
    if (entered != SUCCESS)                         \
        return entered

#define LEAVE(result)                               \
    do {                                            \
        Return leaving = (result);                  \
        pthread_mutex_unlock(&mutex);               \
        return leaving;                             \
    } while (0)

/* ---- the library ----------------------------------------------------------------------------------------- */

EXPORT Return nvmlInit_v2(void)
{
    initialized = 1;
    return (Return)number(-1, "init_error", SUCCESS);
}

EXPORT Return nvmlInit(void)
{
    return nvmlInit_v2();
}

EXPORT Return nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    return nvmlInit_v2();
}

EXPORT Return nvmlShutdown(void)
{
    return SUCCESS;
}

EXPORT const char *nvmlErrorString(Return result)
{
    switch (result) {
    case 0: return "Success";
    case 1: return "Uninitialized";
    case 2: return "Invalid Argument";
    case 3: return "Not Supported";
    case 4: return "Insufficient Permissions";
    case 6: return "Not Found";
    case 7: return "Insufficient Size";
    case 9: return "Driver Not Loaded";
    case 10: return "Timeout";
    case 13: return "Function Not Found";
    case 15: return "GPU is lost";
    default: return "Unknown Error";
    }
}

EXPORT Return nvmlSystemGetDriverVersion(char *out, unsigned size)
{
    return copy(out, size, text(-1, "driver", "580.95.05"));
}

EXPORT Return nvmlSystemGetNVMLVersion(char *out, unsigned size)
{
    return copy(out, size, text(-1, "nvml", "13.580.95.05"));
}

EXPORT Return nvmlSystemGetCudaDriverVersion(int *out)
{
    *out = (int)number(-1, "cuda", 13000);
    return SUCCESS;
}

EXPORT Return nvmlSystemGetCudaDriverVersion_v2(int *out)
{
    return nvmlSystemGetCudaDriverVersion(out);
}

EXPORT Return nvmlSystemGetProcessName(unsigned pid, char *out, unsigned size)
{
    char buffer[64] = "";
    FILE *file;

    snprintf(buffer, sizeof buffer, "/proc/%u/comm", pid);
    file = fopen(buffer, "r");
    if (file == NULL)
        return NOT_FOUND;
    if (fgets(buffer, sizeof buffer, file))
        buffer[strcspn(buffer, "\n")] = '\0';
    fclose(file);
    return copy(out, size, buffer);
}

/* ---- which devices there are ----------------------------------------------------------------------------- */

EXPORT Return nvmlDeviceGetCount_v2(unsigned *out)
{
    if (!initialized)
        return UNINITIALIZED;
    *out = device_count();
    return SUCCESS;
}

EXPORT Return nvmlDeviceGetCount(unsigned *out)
{
    return nvmlDeviceGetCount_v2(out);
}

EXPORT Return nvmlDeviceGetHandleByIndex_v2(unsigned which, Device *out)
{
    if (which >= device_count())
        return INVALID_ARGUMENT;
    *out = handle_of(which);
    return number((int)which, "lost", 0) == 2 ? GPU_IS_LOST : SUCCESS; /* 2: lost before the handle was had */
}

EXPORT Return nvmlDeviceGetHandleByIndex(unsigned which, Device *out)
{
    return nvmlDeviceGetHandleByIndex_v2(which, out);
}

static void uuid_of(int index, char out[80])
{
    const char *given = text(index, "uuid", NULL);
    char host[65] = "";
    unsigned hash = 5381;

    gethostname(host, sizeof host - 1);
    for (const char *c = host; *c; c++)
        hash = hash * 33 + (unsigned char)*c;
    if (given)
        snprintf(out, 80, "%.79s", given);
    else
        snprintf(out, 80, "GPU-%08x-0000-4000-8000-%012x", hash, (unsigned)index);
}

EXPORT Return nvmlDeviceGetUUID(Device device, char *out, unsigned size)
{
    char uuid[80];
    ENTER("GetUUID");
    uuid_of(index, uuid);
    LEAVE(copy(out, size, uuid));
}

EXPORT Return nvmlDeviceGetHandleByUUID(const char *wanted, Device *out)
{
    char uuid[80];
    for (unsigned i = 0; i < device_count(); i++) {
        uuid_of((int)i, uuid);
        if (strcmp(uuid, wanted) == 0) {
            *out = handle_of(i);
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

typedef struct {
    char legacy_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
} Pci;

static void pci_of(unsigned index, Pci *out)
{
    unsigned bus = 0x0a + index * 0x10;

    memset(out, 0, sizeof *out);
    snprintf(out->legacy_id, sizeof out->legacy_id, "0000:%02X:00.0", bus & 0xff);
    snprintf(out->id, sizeof out->id, "00000000:%02X:00.0", bus & 0xff);
    out->bus = bus;
    out->device_id = 0x233010de;
    out->subsystem_id = 0x16c110de;
}

EXPORT Return nvmlDeviceGetPciInfo_v3(Device device, Pci *out)
{
    ENTER("GetPciInfo");
    pci_of((unsigned)index, out);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetPciInfo_v2(Device device, Pci *out)
{
    return nvmlDeviceGetPciInfo_v3(device, out);
}

EXPORT Return nvmlDeviceGetHandleByPciBusId_v2(const char *wanted, Device *out)
{
    Pci pci;
    for (unsigned i = 0; i < device_count(); i++) {
        pci_of(i, &pci);
        if (strcasecmp(wanted, pci.id) == 0 || strcasecmp(wanted, pci.legacy_id) == 0) {
            *out = handle_of(i);
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

EXPORT Return nvmlDeviceGetName(Device device, char *out, unsigned size)
{
    ENTER("GetName");
    LEAVE(copy(out, size, text(index, "name", "NVIDIA H100 80GB HBM3")));
}

EXPORT Return nvmlDeviceGetSerial(Device device, char *out, unsigned size)
{
    char serial[32];
    ENTER("GetSerial");
    snprintf(serial, sizeof serial, "16500230%05d", index);
    LEAVE(copy(out, size, text(index, "serial", serial)));
}

EXPORT Return nvmlDeviceGetVbiosVersion(Device device, char *out, unsigned size)
{
    ENTER("GetVbiosVersion");
    LEAVE(copy(out, size, text(index, "vbios", "96.00.5E.00.01")));
}

EXPORT Return nvmlDeviceGetIndex(Device device, unsigned *out)
{
    ENTER("GetIndex");
    *out = (unsigned)index;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetMinorNumber(Device device, unsigned *out)
{
    ENTER("GetMinorNumber");
    *out = (unsigned)index;
    LEAVE(SUCCESS);
}

/* ---- plain numbers --------------------------------------------------------------------------------------- */

#define NUMBER(function, key, fallback)                              \
    EXPORT Return nvmlDevice##function(Device device, unsigned *out) \
    {                                                                \
        ENTER(#function);                                            \
        *out = (unsigned)number(index, key, fallback);               \
        LEAVE(SUCCESS);                                              \
    }

NUMBER(GetPowerUsage, "power_mw", 70000)
NUMBER(GetPowerManagementLimit, "power_limit_mw", 700000)
NUMBER(GetEnforcedPowerLimit, "power_limit_mw", 700000)
NUMBER(GetPowerManagementDefaultLimit, "power_default_mw", 700000)
NUMBER(GetPerformanceState, "pstate", 0)
NUMBER(GetPersistenceMode, "persistence", 1)
NUMBER(GetComputeMode, "compute_mode", 0)
NUMBER(GetDisplayMode, "display", 0)
NUMBER(GetDisplayActive, "display", 0)
NUMBER(GetBrand, "brand", 14)
NUMBER(GetArchitecture, "arch", 9)
NUMBER(GetNumGpuCores, "cores", 16896)
NUMBER(GetMemoryBusWidth, "bus_width", 5120)
NUMBER(GetCurrPcieLinkGeneration, "pcie_gen", 5)
NUMBER(GetMaxPcieLinkGeneration, "pcie_gen_max", 5)
NUMBER(GetCurrPcieLinkWidth, "pcie_width", 16)
NUMBER(GetMaxPcieLinkWidth, "pcie_width_max", 16)
NUMBER(GetPcieReplayCounter, "pcie_replay", 0)
NUMBER(GetMaxMigDeviceCount, "mig_max", 0)

EXPORT Return nvmlDeviceGetPcieThroughput(Device device, unsigned counter, unsigned *out)
{
    ENTER("GetPcieThroughput");
    *out = (unsigned)number(index, counter ? "pcie_rx_kbs" : "pcie_tx_kbs", 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetUtilizationRates(Device device, unsigned out[2])
{
    ENTER("GetUtilizationRates");
    out[0] = (unsigned)number(index, "util", 0);
    out[1] = (unsigned)number(index, "mem_util", 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetEncoderUtilization(Device device, unsigned *out, unsigned *period)
{
    ENTER("GetEncoderUtilization");
    *out = *period = 0;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetDecoderUtilization(Device device, unsigned *out, unsigned *period)
{
    ENTER("GetDecoderUtilization");
    *out = *period = 0;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetTemperature(Device device, unsigned sensor, unsigned *out)
{
    ENTER("GetTemperature");
    (void)sensor;
    *out = (unsigned)number(index, "temp", 32);
    LEAVE(SUCCESS);
}

typedef struct {
    unsigned version, sensor;
    int temperature;
} VersionedTemperature;

EXPORT Return nvmlDeviceGetTemperatureV(Device device, VersionedTemperature *out)
{
    ENTER("GetTemperature");
    out->temperature = (int)number(index, "temp", 32);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetTemperatureThreshold(Device device, unsigned kind, unsigned *out)
{
    ENTER("GetTemperatureThreshold");
    *out = (unsigned)number(index, kind == 0 ? "temp_shutdown" : "temp_slowdown", kind == 0 ? 92 : 87);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetFanSpeed(Device device, unsigned *out)
{
    ENTER("GetFanSpeed");
    if (text(index, "fan", NULL) == NULL)
        LEAVE(NOT_SUPPORTED);
    *out = (unsigned)number(index, "fan", 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetPowerManagementLimitConstraints(Device device, unsigned *least, unsigned *most)
{
    ENTER("GetPowerManagementLimitConstraints");
    *least = 200000;
    *most = 700000;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetTotalEnergyConsumption(Device device, u64 *out)
{
    ENTER("GetTotalEnergyConsumption");
    *out = number(index, "energy_mj", 1000000);
    LEAVE(SUCCESS);
}

static const char *const clock_keys[4] = {"clk_gr", "clk_sm", "clk_mem", "clk_vid"};
static const unsigned clock_maxima[4] = {1980, 1980, 2619, 1545};

EXPORT Return nvmlDeviceGetClockInfo(Device device, unsigned kind, unsigned *out)
{
    ENTER("GetClockInfo");
    if (kind > 3)
        LEAVE(INVALID_ARGUMENT);
    *out = (unsigned)number(index, clock_keys[kind], clock_maxima[kind]);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetMaxClockInfo(Device device, unsigned kind, unsigned *out)
{
    ENTER("GetMaxClockInfo");
    if (kind > 3)
        LEAVE(INVALID_ARGUMENT);
    *out = clock_maxima[kind];
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetCurrentClocksEventReasons(Device device, u64 *out)
{
    ENTER("GetCurrentClocksEventReasons");
    *out = number(index, "throttle", number(index, "util", 0) ? 0 : 1); /* 1: idle */
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetCurrentClocksThrottleReasons(Device device, u64 *out)
{
    return nvmlDeviceGetCurrentClocksEventReasons(device, out);
}

EXPORT Return nvmlDeviceGetSupportedClocksEventReasons(Device device, u64 *out)
{
    ENTER("GetSupportedClocksEventReasons");
    *out = 0x1ff;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetSupportedClocksThrottleReasons(Device device, u64 *out)
{
    return nvmlDeviceGetSupportedClocksEventReasons(device, out);
}

EXPORT Return nvmlDeviceGetViolationStatus(Device device, unsigned policy, u64 out[2])
{
    ENTER("GetViolationStatus");
    out[0] = number(index, "violation.ref", 1);
    out[1] = numbered(index, "violation.%u", policy, 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor)
{
    ENTER("GetCudaComputeCapability");
    *major = (int)number(index, "cc_major", 9);
    *minor = (int)number(index, "cc_minor", 0);
    LEAVE(SUCCESS);
}

/* ---- memory and its errors ------------------------------------------------------------------------------- */

typedef struct {
    u64 total, free, used;
} Memory;

typedef struct {
    unsigned version;
    u64 total, reserved, free, used;
} VersionedMemory;

EXPORT Return nvmlDeviceGetMemoryInfo(Device device, Memory *out)
{
    ENTER("GetMemoryInfo");
    out->total = number(index, "mem_total_mib", 81559) << 20;
    out->used = number(index, "mem_used_mib", 4) << 20;
    out->free = out->total - out->used;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetMemoryInfo_v2(Device device, VersionedMemory *out)
{
    ENTER("GetMemoryInfo");
    out->total = number(index, "mem_total_mib", 81559) << 20;
    out->reserved = number(index, "mem_reserved_mib", 551) << 20;
    out->used = number(index, "mem_used_mib", 4) << 20;
    out->free = out->total - out->used - out->reserved;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetBAR1MemoryInfo(Device device, Memory *out)
{
    ENTER("GetBAR1MemoryInfo");
    out->total = 131072ULL << 20;
    out->used = 1ULL << 20;
    out->free = out->total - out->used;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetEccMode(Device device, unsigned *current, unsigned *pending)
{
    ENTER("GetEccMode");
    *current = *pending = (unsigned)number(index, "ecc", 1);
    LEAVE(SUCCESS);
}

static void ecc_key(char out[48], unsigned type, unsigned counter)
{
    const char *kind = type ? "uncorrected" : "corrected";
    snprintf(out, 48, "ecc.%s.%s", kind, counter ? "aggregate" : "volatile");
}

EXPORT Return nvmlDeviceGetTotalEccErrors(Device device, unsigned type, unsigned counter, u64 *out)
{
    char key[48];
    ENTER("GetTotalEccErrors");
    ecc_key(key, type, counter);
    *out = number(index, key, 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetMemoryErrorCounter(Device device, unsigned type, unsigned counter, unsigned place, u64 *out)
{
    char key[48], placed[64];
    ENTER("GetMemoryErrorCounter");
    ecc_key(key, type, counter);
    snprintf(placed, sizeof placed, "%s.%u", key, place);
    *out = number(index, placed, 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetRemappedRows(Device device, unsigned *corrected, unsigned *uncorrected, unsigned *pending,
                                        unsigned *failed)
{
    ENTER("GetRemappedRows");
    *corrected = (unsigned)number(index, "remap.corr", 0);
    *uncorrected = (unsigned)number(index, "remap.unc", 0);
    *pending = (unsigned)number(index, "remap.pending", 0);
    *failed = (unsigned)number(index, "remap.failure", 0);
    LEAVE(SUCCESS);
}

/* ---- processes ------------------------------------------------------------------------------------------- */

typedef struct {
    unsigned pid;
    u64 used;
    unsigned gpu_instance, compute_instance;
} Process;

static Return processes(Device device, unsigned *count, Process *out, const char *kind)
{
    unsigned found = 0, room = *count;
    char key[32];

    ENTER("GetComputeRunningProcesses");
    snprintf(key, sizeof key, "%d.%s", index, kind);
    load();
    for (int line = 0; line < line_count; line++) {
        unsigned pid;
        u64 mib = 0;
        if (strcmp(keys[line], key) != 0 || sscanf(values[line], "%u %llu", &pid, &mib) < 1)
            continue;
        if (found < room && out)
            out[found] = (Process){pid, mib << 20, 0xffffffffu, 0xffffffffu};
        found++;
    }
    *count = found;
    LEAVE(found > room ? INSUFFICIENT_SIZE : SUCCESS);
}

EXPORT Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, Process *out)
{
    return processes(device, count, out, "proc");
}

EXPORT Return nvmlDeviceGetComputeRunningProcesses_v2(Device device, unsigned *count, Process *out)
{
    return processes(device, count, out, "proc");
}

EXPORT Return nvmlDeviceGetGraphicsRunningProcesses_v3(Device device, unsigned *count, Process *out)
{
    return processes(device, count, out, "gproc");
}

EXPORT Return nvmlDeviceGetGraphicsRunningProcesses_v2(Device device, unsigned *count, Process *out)
{
    return processes(device, count, out, "gproc");
}

EXPORT Return nvmlDeviceGetMPSComputeRunningProcesses_v3(Device device, unsigned *count, Process *out)
{
    return processes(device, count, out, "mproc");
}

EXPORT Return nvmlDeviceGetProcessUtilization(Device device, void *out, unsigned *count, u64 since)
{
    ENTER("GetProcessUtilization");
    (void)out;
    (void)since;
    *count = 0;
    LEAVE(NOT_FOUND);
}

/* ---- NVLink ---------------------------------------------------------------------------------------------- */

EXPORT Return nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned *out)
{
    ENTER("GetNvLinkState");
    if (link >= number(index, "nvlinks", 18))
        LEAVE(INVALID_ARGUMENT);
    *out = (unsigned)numbered(index, "nvlink.%u", link, 1);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetNvLinkVersion(Device device, unsigned link, unsigned *out)
{
    ENTER("GetNvLinkVersion");
    (void)link;
    *out = 7;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, unsigned counter, u64 *out)
{
    char key[48];
    ENTER("GetNvLinkErrorCounter");
    snprintf(key, sizeof key, "nvlink.%u.err.%u", link, counter);
    *out = number(index, key, 0);
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, Pci *out)
{
    ENTER("GetNvLinkRemotePciInfo");
    memset(out, 0, sizeof *out);
    snprintf(out->id, sizeof out->id, "00000000:%02X:00.0", 0x81 + link % 4);
    LEAVE(SUCCESS);
}

/* ---- field values ---------------------------------------------------------------------------------------- */

typedef struct {
    unsigned id, scope;
    int64_t timestamp, latency;
    unsigned type;
    Return result;
    union {
        double real;
        u64 whole;
    } value;
} FieldValue;

EXPORT Return nvmlDeviceGetFieldValues(Device device, int count, FieldValue *fields)
{
    ENTER("GetFieldValues");
    for (int j = 0; j < count; j++) {
        const char *value = NULL;
        char key[48];
        if (fields[j].scope) {
            snprintf(key, sizeof key, "field.%u.%u", fields[j].id, fields[j].scope);
            value = text(index, key, NULL);
        }
        if (value == NULL) {
            snprintf(key, sizeof key, "field.%u", fields[j].id);
            value = text(index, key, NULL);
        }
        fields[j].timestamp = 0;
        fields[j].latency = 1;
        fields[j].type = 3; /* unsigned long long */
        fields[j].result = value ? SUCCESS : NOT_SUPPORTED;
        if (value)
            fields[j].value.whole = strtoull(value, NULL, 0);
    }
    LEAVE(SUCCESS);
}

/* ---- what these GPUs do not have ------------------------------------------------------------------------- */

EXPORT Return nvmlDeviceGetMigMode(Device device, unsigned *current, unsigned *pending)
{
    ENTER("GetMigMode");
    *current = *pending = 0;
    LEAVE(SUCCESS);
}

EXPORT Return nvmlDeviceIsMigDeviceHandle(Device device, unsigned *out)
{
    (void)device;
    *out = 0;
    return SUCCESS;
}

EXPORT Return nvmlDeviceGetTopologyCommonAncestor(Device one, Device other, unsigned *out)
{
    (void)one;
    (void)other;
    *out = 50; /* the same CPU socket's host bridge and beyond: SYS is 60, NODE 50 */
    return SUCCESS;
}

#define UNSUPPORTED(function)                                                 \
    EXPORT Return nvmlDevice##function(Device device, void *first, void *second) \
    {                                                                         \
        (void)first;                                                          \
        (void)second;                                                         \
        ENTER(#function);                                                     \
        LEAVE(NOT_SUPPORTED);                                                 \
    }

UNSUPPORTED(GetRetiredPagesPendingStatus)
UNSUPPORTED(GetDriverModel)
UNSUPPORTED(GetDriverModel_v2)
UNSUPPORTED(GetCurrentDriverModel)
UNSUPPORTED(GetFanSpeed_v2)
UNSUPPORTED(GetNumFans)
UNSUPPORTED(GetBoardPartNumber)
UNSUPPORTED(GetInforomVersion)
UNSUPPORTED(GetApplicationsClock)
UNSUPPORTED(GetDefaultApplicationsClock)
UNSUPPORTED(GetGpuFabricInfo)
UNSUPPORTED(GetGpuFabricInfoV)
UNSUPPORTED(GetCurrentGpuInstanceId)
UNSUPPORTED(GetMigDeviceHandleByIndex)
UNSUPPORTED(GetProcessesUtilizationInfo)
UNSUPPORTED(GetRunningProcessDetailList)
UNSUPPORTED(GetNvLinkCapability)
UNSUPPORTED(GetNvLinkUtilizationCounter)
UNSUPPORTED(GetSamples)
UNSUPPORTED(GetCpuAffinity)
UNSUPPORTED(GetMemoryAffinity)
UNSUPPORTED(GetNumaNodeId)
UNSUPPORTED(GetAccountingMode)
UNSUPPORTED(GetPlatformInfo)
