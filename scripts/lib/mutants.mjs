// What can be changed in a contract: reads the compiler's syntax tree and gives each change as a piece of text to replace.
const BINARY = {
  "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "**": ["*"],
  "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="], "==": ["!="], "!=": ["=="],
  "&&": ["||"], "||": ["&&"], "&": ["|"], "|": ["&"], "^": ["&"], "<<": [">>"], ">>": ["<<"],
};
const ASSIGNMENT = { "+=": ["-=", "="], "-=": ["+=", "="], "*=": ["/="], "/=": ["*="], "|=": ["&="], "&=": ["|="] };
const YUL = { add: ["sub"], sub: ["add"], mul: ["div"], div: ["mul"], shr: ["shl"], shl: ["shr"], and: ["or"], or: ["and"] };
const KIND = {
  "+": "arithmetic", "-": "arithmetic", "*": "arithmetic", "/": "arithmetic", "%": "arithmetic", "**": "arithmetic",
  "&&": "logical", "||": "logical", "&": "bitwise", "|": "bitwise", "^": "bitwise", "<<": "bitwise", ">>": "bitwise",
};

/// `source` is the text, `ast` its tree, `enums` the members of every enum by its name.
/// Gives `{start, end, text, operator}`: bytes `start` to `end` become `text`.
export function mutantsOf(source, ast, enums) {
  const bytes = Buffer.from(source);
  const found = new Map();
  const span = (node) => {
    const [start, length] = node.src.split(":").map(Number);
    return { start, end: start + length };
  };
  const textOf = ({ start, end }) => bytes.subarray(start, end).toString();
  const add = (operator, { start, end }, text) => {
    if (textOf({ start, end }) === text) return;
    const key = `${start}:${end}:${text}`;
    if (!found.has(key)) found.set(key, { operator, start, end, text });
  };
  // The operator stands between the operands: after what belongs to the left one (parentheses, comments), before the right.
  const between = (operator, left, right, to) => {
    const start = span(left).end;
    const gap = bytes.subarray(start, span(right).start).toString();
    const at = gap.indexOf(operator);
    if (at < 0) return null;
    return { range: { start: start + at, end: start + at + operator.length }, to };
  };
  const swap = (kind, node, left, right, table) => {
    for (const to of table[node.operator] ?? []) {
      const place = between(node.operator, left, right, to);
      if (place) add(kind, place.range, to);
    }
  };
  const number = (node) => {
    const range = span(node);
    const text = textOf(range);
    const match = text.match(/^([0-9][0-9_]*)(\s+\w+)?$/) ?? text.match(/^([0-9]+)e([0-9]+)$/);
    if (!match) return;
    const exponent = /e/.test(match[0]) && !match[2]?.startsWith(" ");
    const value = exponent ? BigInt(match[1]) * 10n ** BigInt(match[2]) : BigInt(match[1].replaceAll("_", ""));
    const unit = exponent ? "" : match[2] ?? "";
    add("constant", range, `${value + 1n}${unit}`);
    if (value > 0n) add("constant", range, `${value - 1n}${unit}`);
  };
  const condition = (node, ...values) => values.forEach((value) => add("condition", span(node), value));

  const visit = (node, parent) => {
    if (Array.isArray(node)) return node.forEach((n) => visit(n, parent));
    if (!node || typeof node !== "object") return;
    switch (node.nodeType) {
      // Declarations: nothing of them runs.
      case "PragmaDirective": case "ImportDirective": case "ErrorDefinition": case "EventDefinition": case "StructDefinition":
      case "EnumDefinition": case "UsingForDirective": case "InheritanceSpecifier": case "StructuredDocumentation":
      case "ArrayTypeName": case "ElementaryTypeName": case "UserDefinedTypeName": case "Mapping":
        return;
      case "BinaryOperation": {
        const kind = KIND[node.operator] ?? "relational";
        swap(kind, node, node.leftExpression, node.rightExpression, BINARY);
        break;
      }
      case "Assignment":
        swap("assignment", node, node.leftHandSide, node.rightHandSide, ASSIGNMENT);
        break;
      case "UnaryOperation": {
        const range = span(node);
        const inner = textOf(span(node.subExpression));
        if (node.operator === "!" || node.operator === "~" || node.operator === "-") add("unary", range, inner);
        if (node.operator === "++" || node.operator === "--") {
          add("unary", range, textOf(range).replace(node.operator, node.operator === "++" ? "--" : "++"));
        }
        break;
      }
      case "Conditional": condition(node.condition, "true", "false"); break;
      case "IfStatement": condition(node.condition, "true", "false"); break;
      case "WhileStatement": case "DoWhileStatement": condition(node.condition, "false"); break;
      case "ForStatement": if (node.condition) condition(node.condition, "false"); break;
      case "Literal": if (node.kind === "number") number(node); break;
      case "MemberAccess": {
        const members = enums[node.expression.name];
        if (members?.includes(node.memberName) && node.typeDescriptions.typeString.startsWith("enum ")) {
          const next = members[(members.indexOf(node.memberName) + 1) % members.length];
          add("enum", span(node), `${node.expression.name}.${next}`);
        }
        break;
      }
      // In braces: it may be all that an `if` does.
      case "ExpressionStatement": case "RevertStatement": case "EmitStatement": case "Break": case "Return": {
        const range = span(node);
        let end = range.end;
        while (end < bytes.length && bytes[end] !== 0x3b) end++;
        add(node.nodeType === "Return" ? "return" : "statement", { start: range.start, end: end + 1 }, "{}");
        break;
      }
      case "FunctionDefinition":
        if (node.kind !== "constructor") for (const m of node.modifiers) add("modifier", span(m), "");
        break;
      case "YulLiteral": if (node.kind === "number") number(node); return;
      case "YulFunctionCall":
        for (const to of YUL[node.functionName.name] ?? []) add("assembly", span(node.functionName), to);
        visit(node.arguments, node);
        return;
      case "YulExpressionStatement": add("statement", span(node), "{}"); break;
      default:
    }
    for (const [key, value] of Object.entries(node)) {
      if (key === "typeDescriptions" || key === "documentation" || key === "overrides" || key === "externalReferences") continue;
      if (value && typeof value === "object") visit(value, node);
    }
  };
  visit(ast, null);
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end || (a.text < b.text ? -1 : 1));
}
