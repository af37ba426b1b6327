//! Writes pages whose rows are hard to split, runs their cells together, and compares what is read
//! with what was written: a row may be refused, and is never read wrongly.

use std::fmt::Write;

use uhub_codegen::import::read;

use super::{errors, every_shape, facts, shapes};

/// Names with types, words and other names in them.
const NAMES: &str = "Plaintext PrintIntent IsFloat NumberOfInts VPCId Point Mint Hint Blueprint \
    Fingerprint Constraint Int ArrayOfString Name NameSpace Size Zone ZoneId ZoneName UHostId \
    UHostIds DiskType DataSet DataSetDataInfo Begintime Logintime Maintainer RAM VMName VRAM \
    EndpointName Endpoints SQLFingerprintMd5 EIP EIPId EIPShareInfo Labels QueryString Connstring \
    StringValue Intranet ObjectKey BooleanFlag FloatingIP Printer Winter Vintage JointId Tag Tags \
    TagSet MaxPods CPU CPUCores Set List Map PortRange Port Bucket BucketInfo KubeProxy IPHint \
    MountPointName Checkpoint OpenInterval ListInternal X IsObject DiskArray DiskSet Disk \
    NodeShareInfo ShareInfo TotalCount Total Domaintype VCPU GPU Count Content Ninth Complaint \
    Disks.N.Size Disks.N.Fingerprint Points.N Plaintexts.N UHostIds.N Add.N Item Param Model Team";

const TYPES: &str = "string string string int int int float boolean bool object array array[string] \
    array[int] array[ShareInfo] ShareInfo Disk array[Disk] array[array[float]] array[object] \
    Array Array[Disk]";

/// Types that no page documents.
const UNKNOWN_TYPES: &str = "Range BucketInfo PeriodSet Owner Print Point IntervalInfo \
    array[Range] array[BucketInfo] DataInfo ArrayInfo ArraySet StringSet PointsInfo MaintainerInfo";

const DESCRIPTIONS: [&str; 75] = [
    "",
    "名称",
    "类型",
    "默认110",
    "数组",
    "值，默认No",
    "是否启用",
    "可用区",
    "int默认110",
    "string类型",
    "uuid标识",
    "tag列表",
    "k8s集群ID",
    "vCPU核数",
    "uHost实例ID",
    "eIP地址",
    "listener健康状态",
    "false设置为私有",
    "jsonstring格式",
    "endpoint地址",
    "substring匹配",
    "bigint类型",
    "print日志",
    "【数组】主机的ID",
    "（可选）主机",
    "API调用",
    "ID。",
    "EIP信息",
    "ShareInfo信息，见ShareInfo",
    "shareinfo信息",
    "枚举值：A、B",
    "明文",
    "RAM大小",
    "Node节点",
    "The name",
    "Name",
    "Listener ID",
    "Settings of it",
    "Set of names",
    "Map of it",
    "Array of it",
    "Listening port",
    "Mapping of it",
    "plain text of it",
    "print it",
    "integer value",
    "int<br />默认110",
    "<br />the header to delete",
    "<br />安全策略列表",
    "<br />删除的 header",
    "IDs",
    "String of text",
    "Int value",
    "Disk info",
    "vCPU cores",
    "iSCSI target",
    "number of it",
    "One of \"a\" and \"b\"",
    "the offset, default 0",
    "ipv6 address",
    "id of it",
    "3 of them",
    "object storage bucket",
    "int seconds",
    "string of it",
    "float value",
    "array of names",
    "object",
    "int",
    "string",
    "stringent rule",
    "internal id",
    "floating ip",
    "objective",
    "intro",
];

/// A row as written.
struct Row {
    name: String,
    ty: &'static str,
    description: &'static str,
    required: bool,
}

impl Row {
    /// Whether a row that no page has can be read as a usual one: a type that the page lacks before
    /// a description that begins with one, or a name that ends in a type.
    fn is_unreadable(&self) -> bool {
        let is_unknown = self.ty == "Array" || UNKNOWN_TYPES.split(' ').any(|ty| ty == self.ty);
        let is_model = is_unknown || matches!(self.ty, "ShareInfo" | "Disk");
        let first = self.description.split(|c: char| !c.is_ascii_alphanumeric()).next();
        let types = ["string", "int", "float", "object", "ShareInfo", "Disk"];
        let has_type = types.iter().any(|ty| first.unwrap_or_default().contains(ty));
        (is_unknown && has_type) || (is_model && self.name == "Connstring")
    }
}

/// A generator of numbers, the same at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn word(&mut self, words: &'static str) -> &'static str {
        let words: Vec<&str> = words.split_whitespace().collect();
        words[self.below(words.len())]
    }

    fn row(&mut self) -> Row {
        let types = if self.percent(15) { UNKNOWN_TYPES } else { TYPES };
        Row {
            name: self.word(NAMES).to_owned(),
            ty: self.word(types),
            description: DESCRIPTIONS[self.below(DESCRIPTIONS.len())],
            required: self.percent(50),
        }
    }
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Request,
    Response,
    Model,
}

/// Writes a page with a row in one of its tables, and an example that may show the row.
fn page(row: &Row, place: Place, is_chinese: bool, shown: &[String]) -> String {
    let Row { name, ty, description, required } = row;
    let required = match (is_chinese, required) {
        (true, true) => "是",
        (true, false) => "否",
        (false, true) => "**Yes**",
        (false, false) => "No",
    };
    let row = format!("| **{name}** | {ty} | {description} | {required} |\n");
    let table = |name: &str, rows: &str| {
        let header =
            "| Field Name | Type | Description Information | Required |\n|:---|:---|:---|:---|";
        format!("### {name}\n\n{header}\n{rows}\n")
    };
    let at = |here| if place == here { row.as_str() } else { "" };
    let value = match *ty {
        "string" => "\"a\"",
        "int" => "1",
        "float" => "1.5",
        "boolean" | "bool" => "true",
        _ if ty.to_lowercase().starts_with("array") => "[]",
        _ => "{}",
    };
    let mut request = String::new();
    let mut members = Vec::new();
    for shown in shown {
        let shown_value = if shown == name { value } else { "\"a\"" };
        let _ = write!(request, "\n&{}=a", shown.replace(".N", ".0"));
        members.push(format!("\"{shown}\": {shown_value}"));
    }
    let members = members.join(", ");
    let response = match place {
        Place::Request => "\"RetCode\": 0".to_owned(),
        Place::Response => format!("\"RetCode\": 0, {members}").trim_end_matches(", ").to_owned(),
        Place::Model => format!("\"RetCode\": 0, \"ShareInfos\": [{{{members}}}]"),
    };
    let request = if place == Place::Request { request } else { String::new() };
    let mut page = "# Do - DoIt\n\n## Definition\n\n".to_owned();
    page += &table("Public Parameters", "| Action | string | The action is `DoIt` | **Yes** |\n");
    let other = "| **ProjectId** | string | 项目 | No |\n";
    page += &table("Request Parameters", &format!("{other}{}", at(Place::Request)));
    let other = "| **RetCode** | int | 返回码 | **Yes** |\n| **ShareInfos** | array[ShareInfo] | 独占 | No |\n";
    page += &table("Response Field", &format!("{other}{}", at(Place::Response)));
    page += "#### Data Model\n\n";
    let other = "| **Bandwidth** | float | 带宽 | No |\n";
    page += &table("ShareInfo", &format!("{other}{}", at(Place::Model)));
    page += &table("Disk", other);
    let _ = write!(
        page,
        "## Example\n\n### Request Example\n\n```\nhttps://a.example/?Action=DoIt{request}\n```\n\n### Response Example\n\n```json\n{{{response}}}\n```\n"
    );
    page
}

#[test]
fn no_row_without_delimiters_is_read_wrongly() {
    const PAGES: usize = 6000;
    let mut random = Random(1);
    let (mut right, mut refused, mut wrong) = (0_usize, 0_usize, Vec::new());
    for _ in 0..PAGES {
        let row = random.row();
        let place = [Place::Request, Place::Response, Place::Model][random.below(3)];
        if row.is_unreadable() || (place == Place::Model && row.ty == "ShareInfo") {
            continue;
        }
        let mut shown = Vec::new();
        if random.percent(50) {
            shown.push(row.name.clone());
        }
        if random.percent(25) {
            // A beginning of the name, which no row documents.
            let is_end = |(at, c): &(usize, char)| *at > 0 && (c.is_ascii_uppercase() || *c == 's');
            let ends: Vec<(usize, char)> = row.name.char_indices().filter(is_end).collect();
            if !ends.is_empty() {
                let name = &row.name[..ends[random.below(ends.len())].0];
                shown.push(name.trim_end_matches('.').to_owned());
            }
        }
        let markdown = page(&row, place, random.percent(50), &shown);
        let reading = read("page", markdown.as_bytes(), None);
        let expected = reading.page.as_ref().map(facts);
        let text = shapes::text(&markdown);
        let reading = read("page", text.as_bytes(), None);
        let Row { name, ty, description, .. } = &row;
        let line = format!("{name}|{ty}|{description} in {place:?}, shown: {shown:?}");
        match reading.page.as_ref().map(facts) {
            None => refused += 1,
            found if found == expected => right += 1,
            Some(_) => wrong.push(line),
        }
    }
    println!("{right} right, {refused} refused, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // A fifth of the types are not documented; their rows cannot be read.
    assert!(refused < right / 3, "{right} right, {refused} refused");
}

/// The example shows a `Limit`, and now no row has it. No description begins with `int显示`.
#[test]
fn an_undocumented_name_in_the_example_does_not_open_a_longer_one() {
    let text = shapes::text(&super::page("list_crates"));
    for (row, name) in [
        ("Limitsint显示数量No", "Limits"),
        ("Limits.Nint显示数量No", "Limits.N"),
        ("LimitRangeint显示数量No", "LimitRange"),
        ("LimitRangeintThe rangeNo", "LimitRange"),
        ("LimitRangearray[int]No", "LimitRange"),
        ("LimitIPstringNo", "LimitIP"),
    ] {
        let changed = text.replacen("Limitint显示数量，默认为20。No", row, 1);
        assert_ne!(changed, text);
        let reading = read("page", changed.as_bytes(), None);
        let page = reading.page.as_ref().unwrap_or_else(|| panic!("{:#?}", errors(&reading)));
        assert_eq!(facts(page)["parameters"][5]["name"], name);
    }
    for row in ["LimitRangeint类型No", "LimitRangestring: the rangeNo", "LimitRangeint64No"] {
        let changed = text.replacen("Limitint显示数量，默认为20。No", row, 1);
        let reading = read("page", changed.as_bytes(), None);
        let errors = errors(&reading);
        assert!(errors.len() == 1 && errors[0].contains("`LimitRange` or `Limit`"), "{errors:#?}");
    }
}

#[test]
fn a_section_that_says_none_has_no_rows() {
    let markdown = super::page("get_scale");
    let table = "| 参数名 | 类型 | 描述信息 | 必填 |\n|:---|:---|:---|:---|\n\n### 响应";
    assert!(markdown.contains(table));
    for words in ["无", "None.", "No parameters", "N/A"] {
        let changed = markdown.replace(table, &format!("{words}\n\n### 响应"));
        for (shape, text) in every_shape(&changed) {
            let reading = read("page", text.as_bytes(), None);
            let page = reading.page.as_ref().unwrap_or_else(|| panic!("{:#?}", errors(&reading)));
            assert_eq!(facts(page)["parameters"].as_array().unwrap().len(), 0, "{shape}");
        }
    }
    let changed = markdown.replace(table, "Nonesuch\n\n### 响应");
    assert!(read("page", changed.as_bytes(), None).page.is_none());
}

#[test]
fn entities_in_the_code_of_a_request_delimit_parameters() {
    let markdown = super::page("list_crates");
    let changed = markdown.replace("\n&DepotName=", "\n&amp;DepotName=");
    assert_ne!(changed, markdown);
    let example = |text: &str| {
        let page = read("page", text.as_bytes(), None).page.unwrap();
        super::spec(&page)["example"].clone()
    };
    for (shape, text) in every_shape(&changed) {
        assert_eq!(example(&text), example(&markdown), "{shape}");
    }
}

#[test]
fn a_capital_array_is_a_type_where_cells_are_delimited() {
    let markdown = super::page("list_crates");
    let changed = markdown.replace("**Kind** | string |", "**Kind** | Array |");
    for (shape, text) in every_shape(&changed) {
        let reading = read("page", text.as_bytes(), None);
        // A query shows no list.
        match reading.page.as_ref().map(facts) {
            Some(facts) => assert_eq!(facts["parameters"][2]["type"], "array[object]", "{shape}"),
            None => assert_eq!(shape, uhub_codegen::import::Shape::Text, "{:?}", errors(&reading)),
        }
    }
}
