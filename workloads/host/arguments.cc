// See arguments.h.
#include "workloads/host/arguments.h"

#include <cstring>

#include "workloads/contract/size_spec.h"
#include "workloads/host/registry.h"
#include "workloads/text.h"

namespace heapmark::host {
namespace {

Message problem;

const char* wrong(const char* what, const char* which) {
  problem = Message();
  return problem.add(what).add(" '").add(which).add("'").c_str();
}

// What follows "--name=", or null where `word` is another option.
const char* value_of(const char* word, const char* name) {
  const std::size_t length = std::strlen(name);
  return std::strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : nullptr;
}

bool is_choice(const char* choices, const char* value) {
  const std::size_t length = std::strlen(value);
  for (const char* at = choices; *at != '\0';) {
    const char* end = std::strchr(at, '|');
    const std::size_t size = end != nullptr ? static_cast<std::size_t>(end - at) : std::strlen(at);
    if (size == length && std::strncmp(at, value, size) == 0) return true;
    at += size + (end != nullptr ? 1 : 0);
  }
  return false;
}

const char* set_value(const Parameter& parameter, const char* text, Value& out) {
  out.text = text;
  if (parameter.kind == Kind::kText) return "";
  if (parameter.kind == Kind::kChoice)
    return is_choice(parameter.choices, text) ? "" : wrong("this parameter has no such choice:", text);
  if (parameter.kind == Kind::kSizes) {
    if (is_choice(parameter.choices, text) || parse_size_spec(text).form != SizeSpec::Form::kWrong) return "";
    problem = Message();
    return problem.add("not sizes: '").add(text).add("'; ").add(kSizeSpecHelp).c_str();
  }
  double number = 0;
  if (!read_number(text, number)) return wrong("not a number:", text);
  if (number < parameter.min || number > parameter.max) return wrong("out of the parameter's range:", text);
  out.number = number;
  out.count = static_cast<std::uint64_t>(number);
  return "";
}

const char* set_by_assignment(Arguments& arguments, const char* assignment) {
  const char* equals = std::strchr(assignment, '=');
  if (equals == nullptr) return wrong("--set needs NAME=VALUE, not", assignment);
  std::size_t index = 0;
  for (const Parameter& parameter : arguments.workload->parameters) {
    const std::size_t length = std::strlen(parameter.name);
    if (length == static_cast<std::size_t>(equals - assignment) &&
        std::strncmp(parameter.name, assignment, length) == 0)
      return set_value(parameter, equals + 1, arguments.values[index]);
    ++index;
  }
  return wrong("the workload has no parameter for", assignment);
}

bool read_pass(const char* text, Pass& pass) {
  for (const PassInfo& known : kPassTable)
    if (std::strcmp(text, known.name) == 0) {
      pass = known.pass;
      return true;
    }
  return false;
}

}  // namespace

bool read_number(const char* text, double& value) {
  double scale = 0;  // of the next decimal; 0 before the point
  bool any = false;
  value = 0;
  for (; (*text >= '0' && *text <= '9') || (*text == '.' && scale == 0); ++text) {
    if (*text == '.') {
      scale = 0.1;
      continue;
    }
    any = true;
    if (scale == 0) {
      value = value * 10 + (*text - '0');
    } else {
      value += scale * (*text - '0');
      scale /= 10;
    }
  }
  if (!any) return false;
  for (const char* suffix = "KMG"; *text != '\0' && *suffix != '\0'; ++suffix) {
    value *= 1024;
    if (*text == *suffix) {
      ++text;
      break;
    }
  }
  return *text == '\0';
}

const char* read_arguments(int argc, char** argv, Arguments& out) {
  const char* seed = "1";
  const char* workload = "";
  for (int at = 2; at < argc; ++at) {
    const char* word = argv[at];
    if (const char* name = value_of(word, "--workload")) {
      workload = name;
    } else if (const char* text = value_of(word, "--seed")) {
      seed = text;
    } else if (const char* library = value_of(word, "--library")) {
      out.library = library;
    } else if (const char* pass = value_of(word, "--pass")) {
      if (!read_pass(pass, out.pass)) return wrong("unknown pass", pass);
    } else if (const char* fd = value_of(word, "--report-fd")) {
      double number = 0;
      if (!read_number(fd, number)) return wrong("--report-fd is no number:", fd);
      out.report_fd = static_cast<int>(number);
    } else if (const char* session = value_of(word, "--session-fd")) {
      double number = 0;
      if (!read_number(session, number)) return wrong("--session-fd is no number:", session);
      out.session_fd = static_cast<int>(number);
    } else if (const char* event = value_of(word, "--turn-ended-fd")) {
      double number = 0;
      if (!read_number(event, number)) return wrong("--turn-ended-fd is no number:", event);
      out.turn_ended_fd = static_cast<int>(number);
    } else if (const char* seat = value_of(word, "--seat")) {
      double number = 0;
      if (!read_number(seat, number)) return wrong("--seat is no number:", seat);
      out.seat = static_cast<std::uint32_t>(number);
    } else if (std::strcmp(word, "--check") == 0) {
      out.check = true;
    } else if (value_of(word, "--set") == nullptr) {
      return wrong("unknown option", word);
    }
  }
  out.workload = find_workload(workload);
  if (out.workload == nullptr) return wrong("unknown workload", workload);
  if (out.workload->parameters.count > kMaxParameters) return wrong("too many parameters:", workload);
  std::size_t index = 0;
  for (const Parameter& parameter : out.workload->parameters)
    if (const char* error = set_value(parameter, parameter.default_value, out.values[index++]);
        *error != '\0')
      return error;
  for (int at = 2; at < argc; ++at)
    if (const char* assignment = value_of(argv[at], "--set"))
      if (const char* error = set_by_assignment(out, assignment); *error != '\0') return error;
  out.seed = 0;
  for (const char* digit = seed; *digit != '\0'; ++digit) {  // the whole 64 bits, which a double has not
    if (*digit < '0' || *digit > '9') return wrong("--seed is no number:", seed);
    out.seed = out.seed * 10 + static_cast<std::uint64_t>(*digit - '0');
  }
  return "";
}

}  // namespace heapmark::host
