"""Words and phrases of captions with their frequencies; written by training/prompt_words.py, not by hand.

Counts of Flickr8k's training captions and Visual7W's training answers, to half an octave: the frequency, a colon,
then entries, the words of a phrase joined by _.
"""

ENTRIES = """
11585: a
4096: a_man and the
2896: in in_a is on_a with
1448: a_boy a_dog a_woman are during_the_day in_the of on two while with_a
1024: a_girl a_person daytime dog on_the to water
724: a_child a_large an at_a black_dog blue brown_dog his little_girl man one outside people stands up
wearing white woman
512: and_a at building by down_a field green hat her holding in_front_of_a in_the_snow in_the_water jacket
jumping little_boy near near_a next_to of_a off over play playing running sitting snow some standing the_man
toy two_men walking young_boy young_girl
362: a_black a_group_of_people a_red a_small a_white and_white another around as at_night at_the back ball
black black_and_white_dog boy brown car children day_time dogs down each_other face from girl grass group_of
has holding_a in_a_field in_front_of in_the_air in_the_background in_the_grass is_standing jump jumps men
mountain no_one on_the_beach out person pink plays red road runs s shirt shorts sits smiling stand their
three through together tree two_children two_dogs two_people walks wall yellow
256: a_baby a_ball a_brown a_yellow above after along_a and_black are_playing are_standing area bicycle bike
boat brown_and_white_dog by_a camera carrying child climbing coat dress dressed_in fence for four from_a
girls hair hands helmet hill him holds horse in_a_blue in_blue in_its_mouth in_red is_jumping is_playing
is_running is_walking it large looking looking_at looks motorcycle of_the on_his on_the_grass orange over_a
pants path playing_with pool purple ramp ride riding rock rocky rope sit slide something street sunglasses
swimming the_ball the_ocean the_water the_woman three_people through_a two_girls two_women up_a walk watches
watching wave wearing_a winter with_his women
181: a_big a_blue a_couple a_crowd a_rock a_skateboarder a_snowboarder a_white_dog a_young a_young_man
across afternoon an_orange and_blue and_one are_sitting arms at_the_beach baby backpack baseball basketball
beach behind bird blonde cap cliff climbs colorful dark dirt dog_is down_the during_a five football forest
game glasses grey hand high in_a_red in_an in_black in_his_mouth in_the_ocean into_a is_sitting its kids
lake long man_in night_time on_a_beach on_the_ground on_the_street outdoors park player race racing rides
rides_a river rocks run several shirt_and sign skateboard small smiles snowy swing table there_is this
three_dogs through_the towards track trees two_boys uniform very watch wearing_a_red wet while_another
white_dog window with_the wooden yard young
128: a_black_and_white a_black_dog_is a_brown_dog_is a_dog_runs a_girl_in_a a_guy a_lady a_little
a_man_and_woman a_man_wearing a_man_wearing_a a_skier a_small_child a_small_dog a_soccer_ball a_stick
a_surfer a_tan_dog a_tennis_ball a_woman_in_a a_young_child across_a adults against_a all along_the and_red
and_yellow are_running are_walking arm around_a as_he asian at_the_camera bag bed behind_him behind_the
being bench beside biker black_and_white board body_of_water boys bridge bright bus carries carrying_a
catches chair chasing city clothes collar colored costume crowd dancing day dog_running doing_a eating
evening fighting flowers flying food for_a fountain frisbee gear gray green_grass guitar haired hanging
hat_and he holds_a house ice in_a_black in_a_blue_shirt in_a_green in_a_park in_a_pink in_a_pool in_a_white
in_a_yellow in_an_orange in_midair in_the_middle_of in_the_sand in_the_woods in_water in_white inside_a into
into_the into_the_air into_the_water is_being is_climbing is_holding is_holding_a is_riding jumps_over_a
kitchen lady lawn leaps leaves light line man_with mountains nearby night nighttime nobody now of_water
on_a_bench on_a_sidewalk on_a_skateboard on_her on_the_sidewalk onto other out_of outfit outside_a past
people_are picture plastic players playground playing_in pole posing railing rider riding_a right room
running_through sand several_people shirts side sidewalk sits_on_a sitting_on sitting_on_a skateboarding ski
snow_covered soccer someone standing_in standing_on steps stick store suit surfboard surrounded_by t_shirt
tan team that that_is the_boy the_dog the_girl the_other them three_children three_men through_the_grass
through_the_snow through_the_water to_catch to_the top trail train under waves wearing_a_black
wearing_a_blue when whilst who_is with_a_blue with_a_red with_a_stick with_her with_their
91: a_crowd_of_people a_dog_is a_dog_running a_frisbee a_grassy a_green a_kid a_red_ball a_small_boy
a_toddler a_woman_wearing a_young_woman about_to air along an_adult an_old an_older another_man are_riding
at_a_table at_an away ball_in_its_mouth bar bat bathroom behind_a beside_a between big black_and_brown_dog
blue_shirt both brown_and_black_dog brown_dog_is_running by_the cat cellphone chases city_street climb
climber clothing concrete corner couch covered daylight deep dirt_bike dock does_a dog_is_running
dog_is_running_through dog_jumps dog_runs dogs_run down_the_street dressed drink drinking during
during_daylight during_the_daytime feet fire floor football_players four_people from_the girl_in going
grassy_field ground has_a hats head his_head hockey hold horses huge hurdle in_a_grassy_field in_a_red_shirt
in_front_of_the in_green in_orange in_the_daytime in_the_street inside is_jumping_over_a is_riding_a
is_sitting_on_a is_wearing_a jeans jersey jumping_in_the_air jumping_off jumps_off laughing laying leaning
ledge left look looks_at looks_on lying making_a male many many_people metal morning mouth mud muddy
near_the nose number older on_a_bike on_a_red on_a_street on_a_swing on_an on_grass on_it on_top_of_a open
or others over_the overlooking photo photographer playing_soccer plays_with_a pond pose poses puddle pulling
puppy race_car rail restaurant runs_through shirt_is shore skiing sled slope smile snowboard snowy_mountain
soccer_ball splashing stairs standing_in_front_of stands_on_a stone stream striped striped_shirt surfing
sweater swimming_pool swims swinging swings take talking tan_dog tennis_court tennis_player the_camera
the_child the_ground the_man_in_the the_man_is the_person the_street the_sun there_are throwing time toward
truck trying_to two_black_dogs two_brown_dogs two_dogs_are two_dogs_play two_kids two_people_are under_a
uniforms vest view waiting wearing_red wears wetsuit white_shirt who with_red zoo
64: a_basketball_player a_black_shirt a_blond a_book a_dog_is_running a_dog_jumps a_female a_football_player
a_game a_girl_is a_group_of_children a_group_of_men a_group_of_young a_lone a_man_sits a_small_girl
a_white_and a_white_dog_with a_woman_with_a a_yellow_shirt a_young_boy_wearing against airborne airport
and_green animal another_dog as_they at_a_park at_the_top_of away_from backyard bags bald balls band
baseball_field baseball_player bathing_suit beard before behind_her behind_them below bicyclist bikes bikini
biting black_dog_and_a blanket blond blue_jeans bmx boots bottle boy_wearing brick brick_wall bride bubbles
buildings busy canoe cars catching cement chairs close coming competition couple course court covered_in
cross crossing crowded cyclist dance diving does dogs_are dogs_running doing doing_a_trick door down_a_hill
dresses drinks driving during_a_game during_the ears equipment event eyes faces falling family few fight
fishing flag fluffy football_player for_the full garden german_shepherd get gets getting girl_is glass go
goal goes goggles gold golden graffiti greyhound guy hangs harness have her_head high_in_the_air hiking
his_bike hit hugging in_a_city in_a_field_of in_a_race in_a_red_jacket in_a_white_shirt in_background in_her
in_jeans in_the_distance in_the_field in_the_park in_the_sky in_yellow inflatable into_a_pool is_doing_a
is_laying is_leaping is_looking is_looking_at is_playing_with is_smiling jumping_over jumping_over_a just
kayak kick kicking kicks leaping leash legs like little living_room look_at look_on low make makes_a making
man_and_woman man_is mask microphone net no object ocean of_people old on_a_bicycle on_a_city_street
on_a_field on_a_leash on_a_track on_a_trampoline on_the_edge_of on_the_left on_the_sand on_the_shore
on_the_side_of on_the_table on_their on_top_of other_people out_of_a out_of_the_water painted paper parked
parking_lot party performing performs phone pile_of plate pose_for_a_picture posing_for_a_picture pushing
raft reading red_shirt ring rock_face rock_wall rugby same sandy scarf scooter set setting shallow_water
sheep shoes short show silver sitting_on_a_bench six skating skier skirt skis sky sleeping sliding smaller
snowboarding soccer_player soon spectators splashes sports standing_next_to standing_on_a stands_next_to
statue structure subway sunset surface surfer sweatshirt takes_a taking_a tall tank_top tennis tent
the_beach the_side_of the_skateboarder the_snow they they_are three_boys three_girls three_women three_young
through_a_field through_the_air throws to_get to_the_right top_of toy_in_its_mouth trick tricks tries_to
tunnel turn two_dogs_are_running two_dogs_run two_dogs_running two_little_girls two_small two_white
two_young_boys two_young_girls umbrella under_the upside_down using vehicle volleyball was waterfall way
wearing_a_helmet wearing_a_pink wearing_a_white wearing_black wedding wheel while_holding with_a_green
with_a_white with_a_yellow with_its with_one wood young_man
45: a_black_dog_running a_black_dog_runs a_brown_dog_runs a_bunch_of a_grassy_area a_hiker a_large_rock
a_red_collar a_shirtless_man a_small_white_dog a_woman_wearing_a about across_the_grass among an_asian
an_elderly an_object an_obstacle an_obstacle_course an_older_man an_outdoor animals art as_another as_it
as_she at_a_restaurant at_sunset attempting background balloon barefoot bars base baseball_game basket
basketball_player bear bearded beer beige bicycles birds black_dogs blue_sky boats body box boy_in branch
brown_dogs brown_hair bubble bucket bull busy_street can carpet carrying_a_stick cart catcher chewing
children_are christmas clear closeup_of costumes cow cowboy cup curly dances desert dinner dirt_path
dirt_road dirty display do does_a_trick dog_with down_a_snowy_hill downhill dressed_as dressed_in_black
driver drives dry each eats empty facing fall fallen fast female fenced filled fish flags flies
flies_through_the_air flight flower foot for_the_ball for_the_camera four_children front furry gathered
gets_ready_to goalie grassy gravel grey_dog greyhounds group_of_people group_of_people_are headband
headphones heads her_hand hikers hind_legs his_arms hits hockey_player hockey_players holding_onto hole home
hose in_a_green_shirt in_a_lake in_a_parade in_a_parking_lot in_a_pink_shirt in_front_of_some in_his_hand
in_the_city in_the_dirt in_the_mountains in_the_surf in_the_yard intersection into_a_swimming_pool
is_jumping_up is_performing is_rock_climbing is_swinging jackets jumps_in_the_air jumps_over kid kissing
ladies landscape lays leans leg lights lined lit log looking_down lot lunch man_wearing market mohawk mother
motocross motorcyclist neck of_snow of_them on_a_bed on_a_park_bench on_a_ramp on_a_tennis_court on_his_bike
on_his_head on_rocks on_the_floor on_the_right on_the_road on_the_wall onlookers outfits outside_of_a owner
paved pavement performing_a_trick piece_of pilot plaid plane platform playing_in_the_snow pointing points
poles public puppies purse pushes racer racetrack rain rapids reads resting riding_a_bike rock_climbing
rolling rough rural sandy_beach santa scene school seat seated shallow she shop shopping shot shoulder
showing side_of signs sit_on_a skate_park skateboard_trick skateboarder skateboards ski_slope skiers slides
sliding_down_a snowboarder snowy_hill soccer_game some_water splash sprinkler stadium stage staring station
steep sticking sticks stop stunt summer swim swim_trunks swimsuit takes takes_a_picture taking
taking_a_picture talking_to talks tall_grass teams teeth tennis_ball that_has the_boy_is the_grass the_sand
the_small through_the_woods throw tire to_catch_a to_catch_a_ball to_the_camera to_the_left toddler
tongue_out toys tracks traffic tube tug two_dogs_are_playing two_guys two_large two_men_are two_people_stand
two_young underwater unicycle urban video wading wait waits walks_down_a water_fountain water_slide waving
wear wearing_a_green when_it when_the where which while_another_man while_others wings wire with_a_pink
with_a_tennis_ball with_his_arms woman_in woman_wearing wooded_area wrestle wrestling young_boys younger
32: a_dog_leaps a_dog_runs_through a_grassy_hill a_large_crowd a_picture a_rock_climber alone
along_the_beach alongside amusement_park an_umbrella appears_to_be arm_around at_a_beach at_an_outdoor
at_dusk at_the_bottom at_the_edge_of atop attached_to attempts_to atv audience back_flip backpacks backs
balancing bandanna bank barking barrier beautiful bedroom being_held between_two bike_rider bikers bite
black_and block blond_hair blowing blows bottom boy_is break breakfast brick_building brightly_colored
bushes cake camouflage carnival catch caught center chase children_play climbers clock cloth cloudy clown
coats cold collie colored_dog competing computer cone construction counter country covering creek cricket
curb cut cyclists dark_haired deck denim different digging dog_runs_across dogs_are_running dogs_play
doing_tricks doorway down_the_sidewalk dressed_up dry_grass duck ducks dusk ear edge elderly elephant end
end_of_a enjoys eye fair falls farm fetch finger finished flip float floating fly follows football_game
formation four_boys frame friend from_behind funny fur gate gather getting_ready_to giant gives giving
gloves going_down_a golden_retriever grinding group_of_kids gun guys gym half handrail handstand hang having
hay helmets hiker himself his_hand his_mouth his_mouth_open hitting hooded hoodie hoop hot hours ice_cream
image in_a_wooded_area in_front in_front_of_an in_the_foreground in_the_picture indoor indoors instruments
into_a_lake into_the_distance is_riding_a_bike its_head its_mouth jean jeep jumped jumping_into kite land
landing lap larger laugh laughs leap leather licking lies life life_jacket little_girls little_kids
long_haired looking_out made makes man_and match matching men_are mid motorbike motorcycles mound
mountain_biker mountains_in_the_background moving music muzzle muzzled naked newspaper no_shirt not
object_in_its_mouth of_war office on_a_sunny_day on_his_skateboard on_its on_the_ice one_hand only opposing
opposite outdoor outside_during_the_daytime outside_of_a_building outstretched overalls pack paddle paddling
paint painting parade passengers passing photograph pictures pigeons pipe plants playfully playing_tennis
police poodle pose_for posing_for prepares_to preparing professional pull pulled pulls puts putting quickly
races raises range reaches reaching ready_to referee resort riders rides_a_bike rides_his rodeo rollerblades
ropes round row rubber runner running_through_a_field s_face safety screen sea see seen set_of seven shadow
shaggy shakes shaking shaped shirtless shooting shopping_cart shoulders shower shown shows sides singing
skater skates slides_down_a smoke smoking_a_cigarette snow_covered_mountain snowy_field soccer_players
softball something_in_its_mouth spinning splashed spots spotted spray staircase step stone_wall straw
streets stuffed suits sun surf surfers surfs surrounding tackle taken talk teenage teenage_boy teenagers
terrain terrier the_girl_in_the their_mouths these third thrown tie tire_swing to_be to_catch_a_frisbee
tongue tongue_hanging_out towards_the_camera train_station trampoline trunk try trying_to_catch
two_little_boys two_young_children two_young_men two_young_women up_in_the_air uses violin wagon
walking_down_the_street walkway wheelchair wheelie white_dog_is_running wide with_long_hair wooden_bench
wooden_fence wrestler writing you
23: a_cigarette a_field a_group a_little_kid a_trick action adult african african_american agility ahead
airplane almost also american american_flag american_flags around_a_track at_an_airport attempts backwards
balances balcony balloons barn barrel basketball_court basketball_players bathing_suits beads beam benches
bend bicyclists biking birthday bites blow blowing_bubbles blurry boardwalk bouncing bowl but camel
cardboard carriage case catching_a_frisbee cave chasing_after cheek chest chews church class clouds coffee
colors comes conductor courtyard cover cows crashing crosses crosswalk crouches curve cutting dark_skinned
dead decorated desk direction disc distance dribbles drive earlier early_evening eat edge_of embrace
enjoying face_paint fake fallen_tree fans far father fetching fingers first fishing_pole flips flowered
flying_through_the_air following formal forward friends front_of frozen fruit gathering grinds grocery groom
hanging_upside_down happily headscarf heavy held_by helping helps hike hills hillside homeless huddle hug
hula_hoops in_a_red_uniform in_the_air_above in_the_air_while it_was_taken item its_mouth_open itself
jerseys jet jogging jungle_gym kayaking kiss kneeling kneels knit lab ladder lay lead leads lean leashes
leather_jacket leaving licks life_jackets light_colored looks_like lots machine makeup mat meal meal_time
medium_sized miami midair military mirror money monkey mountainside mountaintop mouth_open move moves museum
muzzles necklace neighborhood officers on_a_dirt on_a_dirt_track on_its_back onstage paddles parachute part
passes paws peace_sign pedestrians perform performs_a_trick petting picking pier pine pitcher pizza place
playground_equipment police_officer policeman posing_for_the_camera practicing put racket racquet railroad
rainbow raised reach ready redheaded rest rests ribbon rink roller_coaster rollerblading rolls rowing rug
sandals scuba sculpture second shaking_off shoe shoreline silhouette skate skatepark skirts slopes
small_child smile_for_the_camera smoking sniffing snowball soda sooners speed spread stops stove string
strip stroller stuffed_animal stump surrounded_by_trees suspended swimmer swimming_trunks tables
taking_pictures teenager tennis_match tennis_racket that_says themselves there_are_no_people though
thumbs_up tires toilet touches touching toward_the_camera tower town train_tracks training
trees_in_the_background turned turning turns two_black two_brown two_little two_white_dogs_are type umpire
underneath valley various vehicles warm watched_by waters waterskiing were wheeled wheeler white_dog_with
wide_open wine without worker workers working yesterday
16: alley am amidst and_woman apron arcade asleep athlete athletic attempt attire autumn balance ball_in
banner bare bath bathtub batman been begins bending beneath bleachers blocks boarding boogie book boulder
bounce bow boxing branches breaking broken brown_and brunette buckets business cafe cage camels camping
canal candles candy cape caps cards carry cast cats ceiling chain chain_link chased checkered cheerleader
cheerleaders chew circle clad closeup cloud coach compete cones cooking corn countryside crawls crossed
crouched crouching crying device digs dining distant dives doberman done drawing drivers drums during_a_meal
dust early edge_of_a eight either elephants enclosure enjoy eyes_closed fabric fancy feeding females figure
fisherman fishes flat flip_flops flipping floats flock floral foam foggy foliage for_a_picture fun gallery
geese gentleman giraffe glove golf grab grabbing group hallway handles happy hard headed headfirst help
herself highway hikes horizon hospital hotel houses hula_hoop i icy in_the_middle indian inline innertube
instrument is_doing_a_stunt japanese jockey jockeys jumper karate kayaker kisses knee knees lands laptop
last late later leading leafy lift lips listening little_boys london luggage marching markings martial_arts
meadow members merry_go_round midday middle middle_aged middle_eastern monument motion multi multicolored
murky musicians narrow natural neon new next no_indication noone numbered o obama obstacle oklahoma opening
owners pacifier pair pajamas palm park_bench parka partially pass pasture patch patio peak pen pet
picnic_table pigtails pillow pirate pit pitbull pitch plain plant playpen plays_in_the_snow plaza pm point
ponytail porch poses_for_a_picture post pouring prepares print protective puck push racers rafting railings
raising rear recently reflective relaxing retrieving ridden ridge rollerblader roof runners runway sail
sand_dune scaling scarves shade sharp_turn shaved sheer sheet ship shovel sideways silly sits_on
skateboarders skimpy skinny skull sledding slip smokes_a_cigarette sneakers sniffs snowboarders snowmobile
snowsuit sofa speaking speaks speeds spiderman spins splashing_in_the_water sport sprayed spraying spring
sprinklers square stair stares starting still stomach stool straight strange stripes stuck students style
sumo sunny sunny_day swan swimmers swimsuits swords t tackled tackling tail tattoo tattoos teammate teen
the_woods there tied tiger took_place topless tops tossing touch tourist towel traveling trick_on_a tricycle
tries tub tulips tutu tv umbrellas uniformed van vendor vests visible wakeboarding weather well what wheels
wild wind windows wooded woodland work wrapped wrestlers
11: accordion advertisement advertising ago alike appear apple approaching aqua arena army artificial artist
attached barks barren batter batting be beagle bikinis blurred boards bone booth boston bottles bounds boxer
boxes brightly brother brush bungee bunny bush carpeted casting chalk chocolate collars color colourful
concert container control cooked crane cups daughter deer descending diver dreadlocks driveway drum
elaborate emerges enclosed feather fencing festival fireplace flames floaties flowery flute folding follow
followed fountains german gestures giraffes gliding goat guard hall handle harnesses heavily heels helmeted
hood horseback how hugs human hurdles husky hut identical in_its infant jack jogs khaki kiddie kites lane
leaf leotard lines lining logo logs long_hair lounge males man_in_the marked marker masks mealtime mostly
mouse mug mural native navy opponent overhead overpass pale parking pathway performance photographed
photographs picks piece placed played policemen polka_dot polo poodles position pot protest pushed rack
reception reflection relaxes retrieves ribbons robe robes rollerskating rowboat rows sailing scales security
sets shirtless_man shoot shops shoveling sing single sings skiiers skyline sleeps sleeved slightly
snowcapped so soaked soft space sporting stall stare stretches strollers sunlight suv tag target teddy tents
thin tight toddlers tourists traditional trashcan tri tripod tropical trotting trunks tuxedos underwear
uphill upper use wades waist wakeboard walls waterskier weeds wintertime woods
8: amusement appears bunch_of down_a_snowy hanging_out held hoops hula martial officer roller shepherd
skinned tank the_air was_taken
6: closed cream foreground obstacle_course peace pile sharp sized smokes
4: group_of_children lone medium polka retriever the_day
"""
