// A PJRT plug-in that stands in for a GPU's: it has devices (as many as the variable STANDIN_DEVICES says) that hold buffers, and takes programs, each of
// which it appends to the file STANDIN_PROGRAMS. Unless STANDIN_RUNS is 1 it compiles none; then a program's results are zeros of the shapes that it
// says, on the devices on which it runs, and its arguments must have the shapes that it says and lie there. With it everything but the computing
// itself can be tested on a machine without a GPU.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pjrt_c_api.h"

struct PJRT_Error { char text[256]; };
struct PJRT_Client { int devices; };
struct PJRT_Device { int number; char text[32]; };
struct PJRT_Buffer { PJRT_Buffer_Type type; int64_t dims[16]; size_t rank, size; PJRT_Device *device; void *data; };
struct PJRT_LoadedExecutable { int replicas; size_t parameters, results; PJRT_Buffer *parameter, *result; };

static size_t width(PJRT_Buffer_Type type);
static PJRT_Buffer *copy(const PJRT_Buffer *from, const void *data, PJRT_Device *device);

enum { most = 16 };
static struct PJRT_Client client;
static struct PJRT_Device devices[most];
static PJRT_Device *list[most];
static char event; // all have happened

static PJRT_Error *failed(const char *text) {
	PJRT_Error *e = calloc(1, sizeof *e);
	snprintf(e->text, sizeof e->text, "%s", text);
	return e;
}

static void error_destroy(PJRT_Error_Destroy_Args *a) { free(a->error); }
static void error_message(PJRT_Error_Message_Args *a) {
	a->message = a->error->text;
	a->message_size = strlen(a->message);
}
static PJRT_Error *error_code(PJRT_Error_GetCode_Args *a) { a->code = PJRT_Error_Code_UNIMPLEMENTED; return NULL; }

static PJRT_Error *initialize(PJRT_Plugin_Initialize_Args *a) { return NULL; }
static PJRT_Error *attributes(PJRT_Plugin_Attributes_Args *a) { a->num_attributes = 0; return NULL; }

static PJRT_Error *event_await(PJRT_Event_Await_Args *a) { return NULL; }
static PJRT_Error *event_destroy(PJRT_Event_Destroy_Args *a) { return NULL; }

static PJRT_Error *create(PJRT_Client_Create_Args *a) {
	const char *n = getenv("STANDIN_DEVICES");
	client.devices = n ? atoi(n) : 1;
	if (client.devices < 1 || client.devices > most) return failed("STANDIN_DEVICES: want 1 to 16");
	for (int i = 0; i < most; i++) {
		devices[i].number = i;
		snprintf(devices[i].text, sizeof devices[i].text, "stand-in %d", i);
		list[i] = &devices[i];
	}
	a->client = &client;
	return NULL;
}
static PJRT_Error *destroy(PJRT_Client_Destroy_Args *a) { return NULL; }
static PJRT_Error *platform(PJRT_Client_PlatformName_Args *a) { a->platform_name = "standin"; a->platform_name_size = 7; return NULL; }
static PJRT_Error *version(PJRT_Client_PlatformVersion_Args *a) { a->platform_version = "0"; a->platform_version_size = 1; return NULL; }
static PJRT_Error *process(PJRT_Client_ProcessIndex_Args *a) { a->process_index = 0; return NULL; }
static PJRT_Error *all(PJRT_Client_Devices_Args *a) { a->devices = list; a->num_devices = client.devices; return NULL; }
static PJRT_Error *addressable(PJRT_Client_AddressableDevices_Args *a) {
	a->addressable_devices = list;
	a->num_addressable_devices = client.devices;
	return NULL;
}
static PJRT_Error *assignment(PJRT_Client_DefaultDeviceAssignment_Args *a) {
	for (int i = 0; i < a->num_replicas * a->num_partitions; i++) a->default_assignment[i] = i;
	return NULL;
}
// signature reads the types of a program's parameters or results, from text up to end.
static size_t signature(const char *text, const char *end, struct PJRT_Buffer **to) {
	static const struct { const char *name; PJRT_Buffer_Type type; } types[] = {
		{"f32", PJRT_Buffer_Type_F32}, {"bf16", PJRT_Buffer_Type_BF16}, {"f64", PJRT_Buffer_Type_F64}, {"i8", PJRT_Buffer_Type_S8}, {"i32", PJRT_Buffer_Type_S32},
		{"i64", PJRT_Buffer_Type_S64}, {"ui64", PJRT_Buffer_Type_U64}, {"ui32", PJRT_Buffer_Type_U32}, {"i1", PJRT_Buffer_Type_PRED},
	};
	size_t n = 0;
	*to = NULL;
	while ((text = strstr(text, "tensor<")) && text < end) {
		struct PJRT_Buffer b = {PJRT_Buffer_Type_INVALID};
		text += strlen("tensor<");
		while (*text >= '0' && *text <= '9' && b.rank < 16) b.dims[b.rank++] = strtol(text, (char **)&text, 10), text++;
		for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
			size_t length = strlen(types[i].name);
			if (!strncmp(text, types[i].name, length) && text[length] == '>') b.type = types[i].type;
		}
		b.size = width(b.type);
		for (size_t i = 0; i < b.rank; i++) b.size *= b.dims[i];
		*to = realloc(*to, (n + 1) * sizeof b);
		(*to)[n++] = b;
	}
	return n;
}

static PJRT_Error *load(const PJRT_Program *p, PJRT_LoadedExecutable **to) {
	char *text = strndup(p->code, p->code_size);
	const char *main = strstr(text, "func.func @main("), *arrow = main ? strstr(main, ") -> ") : NULL, *end = arrow ? strchr(arrow, '{') : NULL;
	if (!end) return failed("the program has no main");
	struct PJRT_LoadedExecutable *e = calloc(1, sizeof *e);
	const char *replicas = strstr(text, "num_replicas = ");
	e->replicas = replicas ? atoi(replicas + strlen("num_replicas = ")) : 1;
	e->parameters = signature(main, arrow, &e->parameter);
	e->results = signature(arrow, end, &e->result);
	free(text);
	for (size_t i = 0; i < e->results; i++)
		if (e->result[i].type == PJRT_Buffer_Type_INVALID) return failed("the program has results of an unknown type");
	*to = e;
	return NULL;
}

static PJRT_Error *compile(PJRT_Client_Compile_Args *a) {
	const char *path = getenv("STANDIN_PROGRAMS");
	FILE *f = path ? fopen(path, "a") : NULL;
	if (f) {
		fwrite(a->program->code, 1, a->program->code_size, f);
		fputs("\n// end of program\n", f);
		fclose(f);
	}
	const char *runs = getenv("STANDIN_RUNS");
	return runs && *runs == '1' ? load(a->program, &a->executable) : failed("the stand-in compiles nothing");
}

static PJRT_Error *executable(PJRT_LoadedExecutable_GetExecutable_Args *a) { a->executable = (PJRT_Executable *)a->loaded_executable; return NULL; }
static PJRT_Error *executable_destroy(PJRT_Executable_Destroy_Args *a) { return NULL; }
static PJRT_Error *loaded_destroy(PJRT_LoadedExecutable_Destroy_Args *a) {
	free(a->executable->parameter);
	free(a->executable->result);
	free(a->executable);
	return NULL;
}
static PJRT_Error *outputs(PJRT_Executable_NumOutputs_Args *a) { a->num_outputs = ((PJRT_LoadedExecutable *)a->executable)->results; return NULL; }
static PJRT_Error *name(PJRT_Executable_Name_Args *a) { a->executable_name = "standin"; a->executable_name_size = 7; return NULL; }
static PJRT_Error *statistics(PJRT_Executable_GetCompiledMemoryStats_Args *a) { return NULL; }

static PJRT_Error *execute(PJRT_LoadedExecutable_Execute_Args *a) {
	PJRT_LoadedExecutable *e = a->executable;
	if (a->num_devices != (size_t)e->replicas || a->num_args != e->parameters) return failed("the program is for other devices, or wants other arguments");
	for (size_t d = 0; d < a->num_devices; d++) {
		PJRT_Device *device = a->execute_device ? a->execute_device : list[d];
		for (size_t i = 0; i < a->num_args; i++) {
			PJRT_Buffer *b = a->argument_lists[d][i], *want = &e->parameter[i];
			if (b->device != device) return failed("an argument lies on another device");
			if (b->type != want->type || b->rank != want->rank || memcmp(b->dims, want->dims, b->rank * sizeof *b->dims))
				return failed("an argument has another shape than the program says");
		}
	}
	for (size_t d = 0; d < a->num_devices; d++) {
		for (size_t i = 0; i < e->results; i++) {
			void *zeros = calloc(1, e->result[i].size + 1);
			a->output_lists[d][i] = copy(&e->result[i], zeros, a->execute_device ? a->execute_device : list[d]);
			free(zeros);
		}
		if (a->device_complete_events) a->device_complete_events[d] = (PJRT_Event *)&event;
	}
	return NULL;
}

static PJRT_Error *hardware(PJRT_Device_LocalHardwareId_Args *a) { a->local_hardware_id = a->device->number; return NULL; }
static PJRT_Error *is_addressable(PJRT_Device_IsAddressable_Args *a) { a->is_addressable = true; return NULL; }
static PJRT_Error *description(PJRT_Device_GetDescription_Args *a) { a->device_description = (PJRT_DeviceDescription *)a->device; return NULL; }
static PJRT_Error *description_process(PJRT_DeviceDescription_ProcessIndex_Args *a) { a->process_index = 0; return NULL; }
static PJRT_Error *description_text(PJRT_DeviceDescription_DebugString_Args *a) {
	a->debug_string = ((PJRT_Device *)a->device_description)->text;
	a->debug_string_size = strlen(a->debug_string);
	return NULL;
}

static size_t width(PJRT_Buffer_Type type) {
	switch (type) {
	case PJRT_Buffer_Type_PRED: case PJRT_Buffer_Type_S8: case PJRT_Buffer_Type_U8: return 1;
	case PJRT_Buffer_Type_S16: case PJRT_Buffer_Type_U16: case PJRT_Buffer_Type_F16: case PJRT_Buffer_Type_BF16: return 2;
	case PJRT_Buffer_Type_S32: case PJRT_Buffer_Type_U32: case PJRT_Buffer_Type_F32: return 4;
	default: return 8;
	}
}
static PJRT_Buffer *copy(const PJRT_Buffer *from, const void *data, PJRT_Device *device) {
	PJRT_Buffer *b = malloc(sizeof *b);
	*b = *from;
	b->device = device;
	b->data = malloc(b->size + 1);
	if (b->size) memcpy(b->data, data, b->size);
	return b;
}
static PJRT_Error *from_host(PJRT_Client_BufferFromHostBuffer_Args *a) {
	struct PJRT_Buffer b = {a->type};
	if (a->num_dims > 16) return failed("more than 16 axes");
	b.rank = a->num_dims;
	b.size = width(a->type);
	for (size_t i = 0; i < b.rank; i++) {
		b.dims[i] = a->dims[i];
		b.size *= a->dims[i];
	}
	a->buffer = copy(&b, a->data, a->device);
	a->done_with_host_buffer = (PJRT_Event *)&event;
	return NULL;
}
static PJRT_Error *to_host(PJRT_Buffer_ToHostBuffer_Args *a) {
	if (!a->dst) {
		a->dst_size = a->src->size;
	} else if (a->dst_size < a->src->size) {
		return failed("too little room for a buffer");
	} else {
		memcpy(a->dst, a->src->data, a->src->size);
	}
	a->event = (PJRT_Event *)&event;
	return NULL;
}
static PJRT_Error *buffer_destroy(PJRT_Buffer_Destroy_Args *a) {
	free(a->buffer->data);
	free(a->buffer);
	return NULL;
}
static PJRT_Error *element(PJRT_Buffer_ElementType_Args *a) { a->type = a->buffer->type; return NULL; }
static PJRT_Error *dimensions(PJRT_Buffer_Dimensions_Args *a) { a->dims = a->buffer->dims; a->num_dims = a->buffer->rank; return NULL; }
static PJRT_Error *on_device(PJRT_Buffer_Device_Args *a) { a->device = a->buffer->device; return NULL; }
static PJRT_Error *to_device(PJRT_Buffer_CopyToDevice_Args *a) { a->dst_buffer = copy(a->buffer, a->buffer->data, a->dst_device); return NULL; }

const PJRT_Api *GetPjrtApi(void) {
	static PJRT_Api api = {
		.struct_size = PJRT_Api_STRUCT_SIZE,
		.pjrt_api_version = {PJRT_Api_Version_STRUCT_SIZE, NULL, PJRT_API_MAJOR, PJRT_API_MINOR},
		.PJRT_Error_Destroy = error_destroy,
		.PJRT_Error_Message = error_message,
		.PJRT_Error_GetCode = error_code,
		.PJRT_Plugin_Initialize = initialize,
		.PJRT_Plugin_Attributes = attributes,
		.PJRT_Event_Await = event_await,
		.PJRT_Event_Destroy = event_destroy,
		.PJRT_Client_Create = create,
		.PJRT_Client_Destroy = destroy,
		.PJRT_Client_PlatformName = platform,
		.PJRT_Client_PlatformVersion = version,
		.PJRT_Client_ProcessIndex = process,
		.PJRT_Client_Devices = all,
		.PJRT_Client_AddressableDevices = addressable,
		.PJRT_Client_DefaultDeviceAssignment = assignment,
		.PJRT_Client_Compile = compile,
		.PJRT_Client_BufferFromHostBuffer = from_host,
		.PJRT_Device_LocalHardwareId = hardware,
		.PJRT_Device_IsAddressable = is_addressable,
		.PJRT_Device_GetDescription = description,
		.PJRT_DeviceDescription_ProcessIndex = description_process,
		.PJRT_DeviceDescription_DebugString = description_text,
		.PJRT_LoadedExecutable_GetExecutable = executable,
		.PJRT_LoadedExecutable_Destroy = loaded_destroy,
		.PJRT_LoadedExecutable_Execute = execute,
		.PJRT_Executable_Destroy = executable_destroy,
		.PJRT_Executable_NumOutputs = outputs,
		.PJRT_Executable_Name = name,
		.PJRT_Executable_GetCompiledMemoryStats = statistics,
		.PJRT_Buffer_ToHostBuffer = to_host,
		.PJRT_Buffer_Destroy = buffer_destroy,
		.PJRT_Buffer_ElementType = element,
		.PJRT_Buffer_Dimensions = dimensions,
		.PJRT_Buffer_Device = on_device,
		.PJRT_Buffer_CopyToDevice = to_device,
	};
	return &api;
}
